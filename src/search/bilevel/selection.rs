//! What comes after the last epoch: a selection by masking, between whose choices the weights are trained on.

use super::masking::Masking;
use super::scoring::Scoring;
use super::tuning::{MASKED, Tuning};
use super::{Bilevel, SearchError, Selection};
use crate::random::Random;
use crate::search::{Event, Stepper};

impl Bilevel<'_> {
    /// A selection before its first choice.
    pub(super) async fn begin_tuning(&self) -> Result<Tuning, SearchError> {
        let (weights, supernet) = (self.weights().await?, &self.phase.supernet);
        let mut random = Random::new(self.seed, MASKED);
        let masking = Masking::new(supernet.network().graph(), supernet.tables(), weights, &mut random);
        let scoring = Scoring::new(supernet, &self.data, self.scored.clone(), self.config.batch, true)?;
        Ok(Tuning { masking, scoring, taken: 0, left: 0 })
    }

    /// What comes after the last step: choosing by masking, or the end.
    pub(super) async fn finish(&mut self) -> Result<Vec<Event>, SearchError> {
        let Selection::Masking { tune, divisor } = self.config.selection else { return Ok(vec![self.end().await?]) };
        let Some(mut tuning) = self.tuning.take() else {
            self.tuning = Some(self.begin_tuning().await?);
            return Ok(Vec::new());
        };
        let mut events = Vec::new();
        if tuning.left > 0 {
            let steps = self.train.per_epoch() as u64;
            let number = self.taken;
            let (epoch, place) =
                (self.config.all_epochs() + (tuning.taken / steps) as u32, (tuning.taken % steps) as usize);
            let images = self.train.epoch(epoch, place).next().expect("an epoch has a batch at each of its steps");
            let rate = f64::from(self.config.rate.rate(0, self.config.all_epochs())) / divisor;
            let train_loss = self.tune(number, rate as f32, &images, tuning.masking.weights()).await?;
            (tuning.taken, tuning.left) = (tuning.taken + 1, tuning.left - 1);
            self.taken += 1;
            events.push(Event::Step { taken: self.taken, total: self.progress().total, train_loss, valid_loss: None });
        } else if tuning.masking.answer(self.space, &self.device, &tuning.scoring, self.last_auxiliary()).await? {
            tuning.left = u64::from(tune) * self.train.per_epoch() as u64;
        } else {
            self.over = true;
            let architecture = self.space.derive(tuning.masking.weights())?;
            return Ok(vec![Event::Derived { architecture }]);
        }
        self.tuning = Some(tuning);
        Ok(events)
    }
}
