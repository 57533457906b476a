//! Going back and regularising more instead of stopping (Zela et al. 2020, "Understanding and robustifying differentiable architecture
//! search", section 5.2, DARTS-ADA): when the eigenvalue has grown, the search is taken back to the epoch that it would have ended
//! with, all of it, and goes on from there with more weight decay.

use super::{Bilevel, SearchError, Stop};
use crate::space::Architecture;
use crate::state::State;

impl Bilevel<'_> {
    /// Keeps where the search stands behind an epoch to which it may be taken back.
    pub(super) async fn keep_epoch(&mut self, epoch: u32) -> Result<(), SearchError> {
        let Stop::Eigenvalue { every, back, growth, .. } = self.config.stop else { return Ok(()) };
        if growth <= 1.0 || !epoch.is_multiple_of(every.max(1)) {
            return Ok(());
        }
        let state = self.own_state().await?;
        self.kept.push_back((epoch, state));
        while self.kept.len() > back + 1 {
            self.kept.pop_front();
        }
        Ok(())
    }

    /// What becomes of a search that was to end with an architecture after the growth of the eigenvalue: it is taken back, if
    /// its weight decay may grow any more, or ends.
    pub(super) async fn go_back(
        &mut self,
        stopped: Option<(u32, Architecture)>,
    ) -> Result<Option<Architecture>, SearchError> {
        let Some((epoch, architecture)) = stopped else { return Ok(None) };
        let Stop::Eigenvalue { growth, most_decay, .. } = self.config.stop else { return Ok(Some(architecture)) };
        let decay = (f64::from(self.config.sgd.weight_decay) * growth) as f32;
        let place = self.kept.iter().position(|(kept, _)| *kept == epoch);
        // float32 makes 0.03000000003 of three decades.
        let Some(place) = place.filter(|_| growth > 1.0 && f64::from(decay) <= most_decay * (1.0 + 1e-5)) else {
            return Ok(Some(architecture));
        };
        self.kept.truncate(place + 1);
        let Some((_, state)) = self.kept.pop_back() else { return Ok(Some(architecture)) };
        self.config.sgd.weight_decay = decay;
        self.phase = self.make_phase(self.stage).await?;
        self.go_on_from_own(&state).await?;
        // With the new decay it may be taken back to here again.
        self.kept.push_back((epoch, state));
        Ok(None)
    }

    /// The weight decay that it has grown to, and the epochs to which it may be taken back.
    pub(super) fn save_kept(&self, state: &mut State) -> Result<(), SearchError> {
        if !matches!(self.config.stop, Stop::Eigenvalue { growth, .. } if growth > 1.0) {
            return Ok(());
        }
        state.set("weight decay", self.config.sgd.weight_decay)?;
        state.set("kept", self.kept.iter().map(|(epoch, _)| *epoch).collect::<Vec<u32>>())?;
        for (epoch, kept) in &self.kept {
            state.nest(&format!("epoch {epoch}"), kept.clone());
        }
        Ok(())
    }

    /// Takes them up again.
    pub(super) async fn restore_kept(&mut self, state: &State) -> Result<(), SearchError> {
        if !matches!(self.config.stop, Stop::Eigenvalue { growth, .. } if growth > 1.0) {
            return Ok(());
        }
        let decay: f32 = state.get("weight decay")?;
        if decay != self.config.sgd.weight_decay {
            self.config.sgd.weight_decay = decay;
            self.phase = self.make_phase(self.stage).await?;
        }
        let epochs: Vec<u32> = state.get("kept")?;
        let part = |epoch: u32| Ok((epoch, state.part(&format!("epoch {epoch}"))?.clone()));
        self.kept = epochs.into_iter().map(part).collect::<Result<_, SearchError>>()?;
        Ok(())
    }
}
