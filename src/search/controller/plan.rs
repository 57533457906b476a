//! What a controller is asked, checked once: every decision by one question, and of a size that it can answer.

use crate::space::Question;

/// Questions that a controller can answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) questions: Vec<Question>,
    /// Number of decisions.
    pub(super) decisions: usize,
    /// Number of options of each vocabulary; questions name them by their place here.
    pub(super) vocabularies: Vec<usize>,
    /// Most states that there are at a time.
    pub(super) states: usize,
    /// Questions that ask about skips and have something to skip from.
    pub(super) skips: usize,
}

impl Plan {
    /// Checks `questions` about decisions that have so many `options`.
    ///
    /// # Errors
    /// What is wrong with the questions: a mistake of the space.
    pub(super) fn new(questions: &[Question], options: &[usize]) -> Result<Self, String> {
        let mut plan =
            Self { questions: questions.to_vec(), decisions: options.len(), vocabularies: vec![], states: 0, skips: 0 };
        let (mut asked, mut names, mut states) = (vec![false; options.len()], Vec::new(), 0);
        let mut ask = |decision: usize, has: &dyn Fn(usize) -> bool| match options.get(decision) {
            None => Err(format!("a question is about decision {decision}, but there are {}", options.len())),
            Some(_) if std::mem::replace(&mut asked[decision], true) => {
                Err(format!("decision {decision} is asked twice"))
            }
            Some(&count) if !has(count) => {
                Err(format!("decision {decision} has {count} options, not as many as asked about"))
            }
            Some(&count) => Ok(count),
        };
        for question in &mut plan.questions {
            match question {
                Question::Cell { inputs } => states = *inputs,
                Question::State { decision } => {
                    ask(*decision, &|count| count == states && count > 0)?;
                }
                Question::Option { decision, vocabulary, bias } => {
                    let count = ask(*decision, &|count| count > 0 && (bias.is_empty() || bias.len() == count))?;
                    let known = names.iter().position(|name| name == vocabulary).unwrap_or_else(|| {
                        names.push(*vocabulary);
                        plan.vocabularies.push(count);
                        names.len() - 1
                    });
                    if plan.vocabularies[known] != count {
                        return Err(format!("decision {decision} has not the options of vocabulary {vocabulary}"));
                    }
                    *vocabulary = known;
                }
                Question::Node => states += 1,
                Question::Skips { decisions } => {
                    if decisions.len() != states {
                        return Err(format!("{} skips are asked about, from {states} layers", decisions.len()));
                    }
                    decisions.clone().try_for_each(|decision| ask(decision, &|count| count == 2).map(|_| ()))?;
                    plan.skips += usize::from(states > 0);
                    states += 1;
                }
            }
            plan.states = plan.states.max(states);
        }
        match asked.iter().position(|asked| !asked) {
            Some(decision) => Err(format!("decision {decision} is not asked about")),
            None => Ok(plan),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn option(decision: usize, vocabulary: usize) -> Question {
        Question::Option { decision, vocabulary, bias: Vec::new() }
    }

    #[test]
    fn vocabularies_are_counted_and_states_of_a_cell_begin_anew() {
        let node = [Question::State { decision: 0 }, option(1, 7), Question::Node];
        let again = [Question::Cell { inputs: 2 }, Question::State { decision: 2 }, option(3, 9)];
        let questions = [&[Question::Cell { inputs: 2 }], &node[..], &again[..]].concat();
        let plan = Plan::new(&questions, &[2, 5, 2, 3]).unwrap();
        assert_eq!((plan.vocabularies, plan.states, plan.skips), (vec![5, 3], 3, 0));
    }

    #[test]
    fn questions_that_do_not_fit_are_named() {
        let wrong = |questions: &[Question], options: &[usize], part: &str| {
            let problem = Plan::new(questions, options).unwrap_err();
            assert!(problem.contains(part), "`{problem}` should say `{part}`");
        };
        wrong(&[option(0, 0)], &[3, 3], "decision 1 is not asked about");
        wrong(&[option(0, 0), option(0, 0)], &[3], "asked twice");
        wrong(&[option(1, 0)], &[3], "but there are 1");
        wrong(&[option(0, 0), option(1, 0)], &[3, 4], "not the options of vocabulary 0");
        wrong(&[Question::Cell { inputs: 2 }, Question::State { decision: 0 }], &[3], "has 3 options");
        wrong(&[Question::Skips { decisions: 0..1 }], &[2], "from 0 layers");
        let first = Question::Skips { decisions: 0..0 };
        wrong(&[first, Question::Skips { decisions: 0..1 }], &[3], "has 3 options");
    }
}
