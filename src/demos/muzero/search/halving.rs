//! Sequential halving at the root (Danihelka et al. 2022, algorithm 2; Karnin et al. 2013).
//!
//! Each round shares its part of the simulations evenly among the actions that are left; then the
//! worse half goes. As a sequence of visit counts: a simulation may choose among the actions that
//! were visited exactly so often, which gives every action of a round its turn.

/// One round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stage {
    /// How many simulations were done before.
    pub after: usize,
    /// How many actions are left.
    pub considered: usize,
}

/// Which visit count the chosen action has to have, for each simulation, where `considered` actions
/// begin; and where the rounds begin.
pub(super) fn schedule(considered: usize, simulations: usize) -> (Vec<u32>, Vec<Stage>) {
    let first = Stage {
        after: 0,
        considered,
    };
    if considered <= 1 {
        return ((0..simulations as u32).collect(), vec![first]);
    }
    let rounds = considered.next_power_of_two().ilog2() as usize;
    let mut sequence = Vec::with_capacity(simulations + considered);
    let mut stages = vec![first];
    let (mut left, mut visits) = (considered, 0);
    while sequence.len() < simulations {
        for _ in 0..(simulations / (rounds * left)).max(1) {
            sequence.extend(std::iter::repeat_n(visits, left));
            visits += 1;
        }
        let half = (left / 2).max(2);
        if half < left && sequence.len() < simulations {
            stages.push(Stage {
                after: sequence.len(),
                considered: half,
            });
        }
        left = half;
    }
    sequence.truncate(simulations);
    (sequence, stages)
}

#[cfg(test)]
mod tests {
    use super::{Stage, schedule};

    /// The example of figure 1 in Danihelka et al. 2022: 16 actions and 200 simulations, four
    /// rounds of 16, 8, 4 and 2 actions, of 50 simulations each as far as they divide.
    #[test]
    fn sixteen_actions_are_halved_four_times() {
        let (sequence, stages) = schedule(16, 200);
        assert_eq!(sequence.len(), 200);
        let expected = [(0, 16), (48, 8), (96, 4), (144, 2)];
        let expected = expected.map(|(after, considered)| Stage { after, considered });
        assert_eq!(stages, expected);
        assert_eq!(&sequence[..18], &[&[0; 16][..], &[1, 1]].concat()[..]);
        // 3 sweeps over 16, 6 over 8, 12 over 4, then over 2.
        assert_eq!(&sequence[142..147], [20, 20, 21, 21, 22]);
    }

    #[test]
    fn too_few_simulations_visit_each_action_once() {
        assert_eq!(schedule(16, 4).0, [0; 4]);
        assert_eq!(schedule(1, 3).0, [0, 1, 2]);
        assert_eq!(schedule(0, 2).0, [0, 1]);
        assert_eq!(schedule(3, 6).0, [0, 0, 0, 1, 1, 2]);
    }
}
