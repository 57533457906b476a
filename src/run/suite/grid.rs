//! The runs that a plan comes to, and the configuration of each.

use super::cell::{Cell, RANDOM};
use super::plan::Plan;
use super::scale::RANDOM_ARCHITECTURES;
use crate::run::config::Config;
use crate::run::config_error::ConfigError;
use crate::run::read::{Setting, Sources};
use crate::space::SpaceConfig;

/// What is run of one strategy in one space, whatever the seed.
#[derive(Debug)]
struct Column {
    space: String,
    strategy: String,
    /// With seed 0; why there is none, where the two do not go together.
    config: Result<Config, String>,
}

/// The runs of a plan.
#[derive(Debug)]
pub struct Grid {
    columns: Vec<Column>,
    seeds: u32,
}

impl Grid {
    /// The runs of a plan, with their configurations. A setting is laid over those runs that read it.
    ///
    /// # Errors
    /// [`ConfigError`] of a setting that no run of a strategy reads, and of the first run where not one can be configured.
    pub fn of(plan: &Plan) -> Result<Self, ConfigError> {
        let mut columns = Vec::new();
        // What was said of each setting by runs that do not read it.
        let mut refusals: Vec<Vec<ConfigError>> = plan.set.iter().map(|_| Vec::new()).collect();
        let mut failed = Vec::new();
        for space in &plan.spaces {
            let mut random = Err(String::new());
            let at = columns.len();
            for strategy in &plan.strategies {
                let read = configured(plan, space, strategy, &mut refusals);
                if let (Err(_), Ok(config)) = (&random, &read) {
                    random = Ok(Config { random: config.random.max(1), ..config.clone() });
                }
                let config = match read {
                    Ok(config) => Ok(Config { random: 0, ..config }),
                    Err(error) => {
                        let reason = error.to_string();
                        failed.push(error);
                        Err(reason)
                    }
                };
                columns.push(Column { space: space.clone(), strategy: strategy.clone(), config });
            }
            let random = random.map_err(|_| "no strategy of the suite can be configured in this space".to_owned());
            columns.insert(at, Column { space: space.clone(), strategy: RANDOM.to_owned(), config: random });
        }
        if columns.iter().all(|column| column.config.is_err())
            && let Some(first) = failed.into_iter().next()
        {
            return Err(first);
        }
        let pairs = plan.spaces.len() * plan.strategies.len();
        if let Some(nobody) = refusals.into_iter().find(|said| said.len() == pairs)
            && let Some(first) = nobody.into_iter().next()
        {
            return Err(first);
        }
        Ok(Self { columns, seeds: plan.seeds })
    }

    /// The runs in their order: all of one seed before the next, so that a suite that was stopped can be read. In each space
    /// random architectures come first.
    pub fn cells(&self) -> Vec<Cell> {
        let cell = |seed: u32| {
            move |Column { space, strategy, .. }: &Column| Cell {
                space: space.clone(),
                strategy: strategy.clone(),
                seed,
            }
        };
        (0..self.seeds).flat_map(|seed| self.columns.iter().map(cell(seed))).collect()
    }

    /// The configuration of a run; why there is none.
    ///
    /// # Errors
    /// What the configuration's reader said.
    pub fn config(&self, cell: &Cell) -> Result<Config, String> {
        let column = self.columns.iter().find(|c| c.space == cell.space && c.strategy == cell.strategy);
        let missing = || "it is not part of the suite".to_owned();
        let config = column.ok_or_else(missing)?.config.clone()?;
        Ok(Config { seed: cell.seed.into(), ..config })
    }
}

/// A setting, and the place by which errors name it.
struct Given {
    place: String,
    setting: Setting,
    /// Its index among those of `--set`.
    own: Option<usize>,
}

/// The configuration of a strategy in a space: with what the plan's scale and its settings say as far as it is read. A setting
/// of `--set` that is not adds its error to `refusals`.
fn configured(
    plan: &Plan,
    space: &str,
    strategy: &str,
    refusals: &mut [Vec<ConfigError>],
) -> Result<Config, ConfigError> {
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let option = |option: &str, key: &str, value: String| Given {
        place: option.to_owned(),
        setting: Setting::option(option, key, &value),
        own: None,
    };
    let mut given = vec![
        option("the suite's space", "space.name", quoted(space)),
        option("the suite's strategy", "search.strategy", quoted(strategy)),
        option("--data", "data.name", quoted(&plan.data)),
        option("--device", "device.name", quoted(&plan.device)),
        option("the suite's baseline", "baseline", "false".to_owned()),
        option("the suite's random", "random", RANDOM_ARCHITECTURES.to_string()),
    ];
    if let Some(dir) = plan.data_dir.as_ref().and_then(|dir| dir.to_str()) {
        given.push(option("--data-dir", "data.dir", quoted(dir)));
    }
    let scale = plan.scale.settings(&plan.data);
    given.extend(scale.iter().map(|(key, value)| option(&format!("the scale's {key}"), key, (*value).to_owned())));
    given.extend(plan.set.iter().enumerate().map(|(index, text)| Given {
        place: format!("--set {text}"),
        setting: Setting::set(text),
        own: Some(index),
    }));
    read(plan, given, refusals)
}

/// Reads settings; those that nothing reads leave the list.
fn read(plan: &Plan, mut given: Vec<Given>, refusals: &mut [Vec<ConfigError>]) -> Result<Config, ConfigError> {
    loop {
        let settings: Vec<Setting> = given.iter().map(|given| given.setting.clone()).collect();
        let sources = Sources {
            settings: &settings,
            budget: plan.scale.epochs(&plan.data),
            scale: plan.scale.data(&plan.data),
            place: "suite",
            ..Sources::default()
        };
        let error = match Config::read(&sources, |name| Ok(SpaceConfig::of(name.unwrap_or_default()))) {
            Ok(read) => return Ok(read.config),
            Err(error) => error,
        };
        let (ConfigError::Unread { place, .. } | ConfigError::UnknownKey { place, .. }) = &error else {
            return Err(error);
        };
        let Some(at) = given.iter().rposition(|given| given.place == *place) else { return Err(error) };
        if let Some(index) = given.remove(at).own {
            refusals[index].push(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Asked;
    use super::*;

    fn grid(strategies: &[&str], spaces: &[&str], set: &[&str]) -> Result<Grid, ConfigError> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let (strategies, spaces) = (Some(owned(strategies)), Some(owned(spaces)));
        let data_dir = Some("x".into());
        let asked = Asked { strategies, spaces, seeds: Some(2), set: owned(set), data_dir, ..Asked::default() };
        Grid::of(&Plan::new(&Asked { data: Some("mnist".into()), ..asked }).unwrap())
    }

    fn config(grid: &Grid, strategy: &str, space: &str) -> Config {
        grid.config(&Cell { space: space.into(), strategy: strategy.into(), seed: 1 }).unwrap()
    }

    #[test]
    fn a_setting_is_laid_over_those_that_read_it() {
        let set = ["search.order=2", "random=2", "space.nodes=3"];
        let grid = grid(&["darts", "fair-darts", "spos"], &["darts", "nas-bench-201"], &set).unwrap();
        let of = |strategy, space| config(&grid, strategy, space);
        let order = |strategy| of(strategy, "darts").search.settings.get("order").and_then(|order| order.as_integer());
        assert_eq!((order("darts"), order("spos")), (Some(2), None));
        assert_eq!((of("darts", "darts").random, of(RANDOM, "darts").random), (0, 2));
        assert!(
            of("fair-darts", "darts").space.settings.get("nodes").is_some_and(|nodes| nodes.as_integer() == Some(3))
        );
        assert_eq!(of("fair-darts", "nas-bench-201").seed, 1);
        let small = of("spos", "darts");
        assert_eq!((small.data.images.limit, small.supernet.channels, small.baseline), (1000, 4, false));
        assert_eq!(small.search.settings.get("epochs").and_then(|epochs| epochs.as_integer()), Some(60));
    }

    #[test]
    fn the_order_is_by_seed_and_space_with_random_first() {
        let grid = grid(&["darts", "gdas"], &["darts", "chain"], &[]).unwrap();
        let cells = grid.cells();
        let names: Vec<String> = cells.iter().map(|c| format!("{}/{}/{}", c.space, c.strategy, c.seed)).collect();
        assert_eq!(names[..4], ["darts/random/0", "darts/darts/0", "darts/gdas/0", "chain/random/0"]);
        assert_eq!((names.len(), names[6].as_str()), (12, "darts/random/1"));
        assert!(cells[0].path("suite".as_ref()).ends_with("darts/random/seed-0"));
    }

    #[test]
    fn what_nobody_reads_or_can_be_is_refused() {
        let error = |set: &[&str]| grid(&["gdas", "darts"], &["darts"], set).unwrap_err().to_string();
        assert!(error(&["search.epochz=3"]).contains("search.epochz"));
        assert!(error(&["search.evolution.population=3"]).contains("does not read"));
        assert!(error(&["train.epochs=0"]).contains("epochs"));
        // What one can not be is that one's own.
        let grid = grid(&["gdas", "darts"], &["darts"], &["search.order=2", "random=3"]).unwrap();
        let cell = Cell { space: "darts".into(), strategy: "gdas".into(), seed: 0 };
        assert!(grid.config(&cell).unwrap_err().contains("search.order must be 1"));
        assert_eq!((config(&grid, "darts", "darts").random, config(&grid, RANDOM, "darts").random), (0, 3));
    }
}
