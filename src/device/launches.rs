//! What a recording asks of a driver beside the computation itself.

use super::Limits;
use super::recording::{Action, Recording};
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::ops::AddAssign;

/// What it takes to launch recordings, counted from what they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Launches {
    /// Command buffers that are handed over.
    pub submissions: usize,
    /// Compute passes: runs of dispatches with no copy or clear between them.
    pub passes: usize,
    /// Dispatches.
    pub dispatches: usize,
    /// Dispatches that must wait for an earlier one, since they read what it writes or write what it reads or writes.
    pub barriers: usize,
    /// Sets of buffers that are bound: a kernel and its buffers, each once.
    pub bind_groups: usize,
}

impl AddAssign for Launches {
    fn add_assign(&mut self, other: Self) {
        self.submissions += other.submissions;
        self.passes += other.passes;
        self.dispatches += other.dispatches;
        self.barriers += other.barriers;
        self.bind_groups += other.bind_groups;
    }
}

/// What a buffer was last used for.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Read,
    Written,
}

impl Recording {
    /// What it takes to launch it on a device of such limits.
    pub fn launches(&self, limits: &Limits) -> Launches {
        let mut launches = Launches::default();
        let mut groups = HashSet::new();
        for chunk in self.commands.chunks(limits.dispatches.max(1)) {
            launches.submissions += 1;
            let mut used: HashMap<u64, Use> = HashMap::new();
            let mut in_pass = false;
            for command in chunk {
                let Action::Dispatch(dispatch) = &command.action else {
                    // Copies wait for what was, and what follows waits for them, between passes.
                    in_pass = false;
                    used.clear();
                    continue;
                };
                launches.dispatches += 1;
                launches.passes += usize::from(!in_pass);
                in_pass = true;
                let ids = |memory: &[std::sync::Arc<super::memory::Memory>]| memory.iter().map(|m| m.id).collect();
                let (inputs, outputs): (Vec<u64>, Vec<u64>) = (ids(&dispatch.inputs), ids(&dispatch.outputs));
                let waits = inputs.iter().any(|id| used.get(id) == Some(&Use::Written))
                    || outputs.iter().any(|id| used.contains_key(id));
                launches.barriers += usize::from(waits);
                used.extend(inputs.iter().map(|&id| (id, Use::Read)));
                used.extend(outputs.iter().map(|&id| (id, Use::Written)));
                groups.insert((std::ptr::from_ref(dispatch.kernel) as usize, inputs, outputs));
            }
        }
        launches.bind_groups = groups.len();
        launches
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::{Binding, Buffer, Device, Recorder};
    use crate::kernels::elementwise::{SCALE, Scale};

    #[test]
    fn a_chain_waits_and_what_shares_nothing_does_not() {
        let device = Device::cpu();
        let [a, b, c, d] = [0; 4].map(|_| device.zeros(4).unwrap());
        let params = Scale { count: 4, factor: 1.0, ..Scale::default() };
        fn whole(buffer: &Buffer) -> Binding<'_> {
            Binding { buffer, offset: 0, elements: 4 }
        }
        let mut recorder = Recorder::new(&device);
        let scale = |recorder: &mut Recorder, from, to| {
            recorder.dispatch(&SCALE, &params, &[whole(from)], &[whole(to)]).unwrap();
        };
        for (from, to) in [(&a, &b), (&c, &d), (&b, &a), (&a, &b)] {
            scale(&mut recorder, from, to);
        }
        recorder.clear(&c, 0, 4).unwrap();
        scale(&mut recorder, &c, &d);
        let recording = recorder.finish();
        let counted = recording.launches(device.limits());
        let expected = Launches { submissions: 1, passes: 2, dispatches: 5, barriers: 2, bind_groups: 3 };
        assert_eq!(counted, expected);
        let mut twice = counted;
        twice += counted;
        assert_eq!((twice.passes, twice.bind_groups), (4, 6));
        // Handed over in two pieces: the second begins anew.
        let pieces = recording.launches(&Limits { dispatches: 3, ..*device.limits() });
        assert_eq!((pieces.submissions, pieces.passes), (2, 3));
    }
}
