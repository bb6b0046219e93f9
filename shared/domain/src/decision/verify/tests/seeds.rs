//! Nothing that an answer can hold makes the check panic, and nothing altered at random is believed that should not be.

use super::*;

/// A small generator of its own: the domain knows no dice.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn money(&mut self) -> MicroDollars {
        MicroDollars([i64::MIN, -1, 0, 1, 40_000, 96_000, i64::MAX][self.roll(7)])
    }
}

fn alter(answer: &mut DecisionAnswer, dice: &mut Dice) {
    let last = answer.execution_plan.len().saturating_sub(1);
    match dice.roll(14) {
        0 => answer.estimated_saving = dice.money(),
        1 => answer.cost_before = dice.money(),
        2 => answer.cost_after = dice.money(),
        3 => answer.lower_bound = dice.money(),
        4 => answer.execution_plan.clear(),
        5 => answer.untouched = (0..dice.roll(5)).map(stays).collect(),
        6 => answer.execution_plan.extend(answered().execution_plan),
        other => {
            let Some(step) = answer.execution_plan.get_mut(last) else { return };
            match other {
                7 => step.saving_per_hour = dice.money(),
                8 => step.cost_once = dice.money(),
                9 => step.pods_moved = u32::MAX,
                10 => step.remove = (0..dice.roll(5)).map(identity).collect(),
                11 => step.launch = vec![launch("m6i.large", CapacityType::OnDemand, dice.money().0); dice.roll(4)],
                12 => step.launch.iter_mut().for_each(|launch| launch.needs = Resources::new(u64::MAX, u64::MAX)),
                _ => step.launch.iter_mut().for_each(|launch| launch.pods = u32::MAX),
            }
        }
    }
}

#[test]
fn no_answer_makes_the_check_panic_and_what_is_believed_adds_up() {
    let mut believed = 0;
    for seed in 1..=20_000_u64 {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut answer = answered();
        for _ in 0..=dice.roll(4) {
            alter(&mut answer, &mut dice);
        }
        let Ok(trusted) = super::super::answer(&asked(), answer, KNOWN) else { continue };
        believed += 1;
        let answer = trusted.into_answer();
        let moves: MicroDollars = answer.execution_plan.iter().map(|step| step.saving_per_hour).sum();
        assert!((moves - answer.estimated_saving).0.abs() < 100, "seed {seed}");
        assert!((answer.cost_before - answer.cost_after - answer.estimated_saving).0.abs() < 100, "seed {seed}");
        let removed: BTreeSet<_> = answer.execution_plan.iter().flat_map(|step| &step.remove).collect();
        let named = answer.execution_plan.iter().map(|step| step.remove.len()).sum::<usize>();
        assert!(removed.len() == named && named <= 3, "seed {seed}");
        let prices = answer.execution_plan.iter().flat_map(|s| &s.launch).flat_map(|l| &l.offerings).map(|o| o.price_per_hour.unwrap());
        assert!(prices.into_iter().all(|price| price.0 > 0), "seed {seed}");
    }
    assert!(believed > 100, "the seeds alter too much to show anything: {believed}");
}
