//! What a gradient search is between two steps: all that it computes the next one from and cannot make again.

use super::{Bilevel, SearchError};
use crate::search::{Stepper, check_architectures, check_order, steps_taken};
use crate::state::State;
use std::collections::BTreeSet;

const KIND: &str = "gradient search";

impl Bilevel<'_> {
    /// Its state. Batches, rates and random numbers are functions of the steps taken, recordings and relaxed weights of
    /// the stage and the architecture weights.
    pub(super) async fn saved(&self) -> Result<State, SearchError> {
        let mut state = self.own_state().await?;
        self.save_kept(&mut state)?;
        Ok(state)
    }

    /// The same without where it stood behind earlier epochs.
    pub(super) async fn own_state(&self) -> Result<State, SearchError> {
        let mut state = State::of(KIND);
        state.set("taken", self.taken)?;
        state.set("moved", self.moved)?;
        state.set("stage", self.stage)?;
        // A hash set has no order; the same state is to have the same bytes.
        state.set("dropped", self.dropped.iter().collect::<BTreeSet<_>>())?;
        state.set("stopped", &self.stopped)?;
        state.set("sums", self.sums)?;
        state.set("over", self.over)?;
        state.nest("watch", self.watch.save()?);
        state.nest("supernet", self.phase.supernet.save().await?);
        state.nest("adam", self.phase.alpha.save(&self.phase.supernet).await?);
        if let Some(freezer) = &self.phase.freezer {
            state.nest("freezer", freezer.save(&self.device).await?);
        }
        if let Some(lora) = &self.phase.lora {
            state.nest("lora", lora.save(&self.device).await?);
        }
        if let Some(tuning) = &self.tuning {
            state.nest("tuning", tuning.save()?);
        }
        Ok(state)
    }

    /// Goes on from a state: makes the supernet of its stage and gives it back what it had learned.
    pub(super) async fn go_on_from(&mut self, state: &State) -> Result<(), SearchError> {
        state.check(KIND)?;
        self.restore_kept(state).await?;
        self.go_on_from_own(state).await
    }

    /// The same from where it stood behind an earlier epoch.
    pub(super) async fn go_on_from_own(&mut self, state: &State) -> Result<(), SearchError> {
        state.check(KIND)?;
        let (stage, dropped) = (state.get("stage")?, state.get("dropped")?);
        if stage >= self.stages.len() {
            return Err(state.wrong("stage", format!("there are {}", self.stages.len())).into());
        }
        if (stage, &dropped) != (self.stage, &self.dropped) {
            (self.stage, self.dropped) = (stage, dropped);
            self.phase = self.make_phase(stage).await?;
        }
        self.taken = steps_taken(state, self.progress().total)?;
        // With more epochs a step lies elsewhere than it did, but in the first stage.
        let place = self.place().map(|place| (place.stage, place.within, place.step));
        check_order(state, place.is_some_and(|place| place.0 != stage && place != (stage + 1, 0, 0)))?;
        self.moved = state.get("moved")?;
        self.stopped = state.get("stopped")?;
        check_architectures(state, "stopped", self.space, &self.stopped)?;
        self.sums = state.get("sums")?;
        self.over = state.get("over")?;
        self.watch.restore(state.part("watch")?, self.space)?;
        let phase = &mut self.phase;
        phase.supernet.restore(state.part("supernet")?)?;
        phase.alpha.restore(&phase.supernet, state.part("adam")?)?;
        if let Some(freezer) = &mut phase.freezer {
            freezer.restore(&self.device, state.part("freezer")?)?;
        }
        if let Some(lora) = &mut phase.lora {
            lora.restore(&self.device, state.part("lora")?)?;
        }
        phase.record_trained()?;
        if let Some(relaxed) = &mut phase.relaxed {
            relaxed.refresh(&phase.supernet).await?;
        }
        self.tuning = None;
        if let Some(saved) = state.find("tuning") {
            let mut tuning = self.begin_tuning().await?;
            tuning.restore(saved, self.taken)?;
            self.tuning = Some(tuning);
        }
        Ok(())
    }
}
