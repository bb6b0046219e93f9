//! What becomes of the saving that the bound leaves, from running clusters: nodes that are there, a price on every move, constraints
//! on 30 % of the pods.

use crate::cluster::{Make, make, market};
use domain::decision::DecisionType;
use planning::optimize::{Effort, decide_and_account};

/// Clusters of each family.
const SEEDS: u64 = 6;

/// Name, nodes, how the cluster is filled, and whether there are spot nodes.
type Family = (&'static str, usize, (u32, u32), (u64, u64), bool);

const FAMILIES: [Family; 4] = [
    // As clusters are found: 20 to 60 % of what is paid for is requested.
    ("loose", 200, (4, 60), (20, 60), false),
    ("usual", 200, (10, 80), (35, 90), false),
    ("spot", 200, (10, 80), (35, 90), true),
    ("small", 30, (4, 60), (30, 80), false),
];

pub(crate) fn report() {
    let market = market();
    for (name, nodes, pods, fill, spot) in FAMILIES {
        let (mut worst, mut ratio, mut overlap, mut taken) = (1.0_f64, 0.0_f64, 0.0_f64, 0.0);
        for seed in 0..SEEDS {
            let request = make(&Make { nodes, decision: DecisionType::BinPack, seed, pods, fill, spot });
            let (answer, account) = decide_and_account(&request, &market, &Effort::default());
            assert!(answer.cost_after <= answer.cost_before && answer.lower_bound <= answer.cost_after);
            let over = answer.cost_after.0 as f64 / answer.lower_bound.0 as f64;
            let part = answer.estimated_saving.0 as f64 / (answer.cost_before - answer.lower_bound).0.max(1) as f64;
            (worst, ratio, taken) = (worst.min(account.explained()), ratio.max(over), taken + part / SEEDS as f64);
            let twice = account.overlap.0 as f64 / (account.before - account.bound).0.max(1) as f64;
            overlap = overlap.max(twice);
            if std::env::args().any(|word| word == "--each") {
                println!("# {name} {seed}: {:.3} explained, {twice:.3} overlap", account.explained());
                account.sentences().iter().for_each(|sentence| println!("#   {sentence}"));
            }
            if seed == 0 {
                println!(
                    "# {name} {seed}: {} -> {}, bound {}: {over:.3} of it; {:.1} % of what it leaves taken, {:.1} % explained",
                    answer.cost_before,
                    answer.cost_after,
                    answer.lower_bound,
                    part * 100.0,
                    account.explained() * 100.0
                );
                account.sentences().iter().for_each(|sentence| println!("#   {sentence}"));
            }
        }
        println!(
            "# {name}: cost after at most {ratio:.3} of the bound; {:.1} % of what the bound leaves is taken on average",
            taken * 100.0
        );
        println!("BENCH optimize_explained_{name}_worst {worst:.3} ratio >= 0.90");
        println!("BENCH optimize_account_overlap_{name}_worst {overlap:.3} ratio <= 0.01");
    }
}
