//! One year: hourly scans, their plans, and everything that can go wrong between them and the world.

use crate::check;
use crate::life::{Agenda, YEAR, advance, grow};
use crate::world::{CLUSTER, World, clock, ghost_plan};
use domain::SignedDuration;
use domain::ids::InstanceId;
use domain::plan::PlanRecord;
use domain::plan::action::AskedBy;
use domain::ports::Instance;
use domain::watch::Watchbook;
use planning::ghosts::{End, Look, News, Proof, Scan, Settings, scan, suspects, verify};

const SETTINGS: Settings = Settings { grace: SignedDuration::from_hours(24), per_scan_max: 2, acts: true };
/// After the year nothing happens and nothing fails, for long enough that all that is waste must go, even what has to wait for a second
/// grace.
const QUIET: i64 = 60 * 60;

/// What a year came to.
#[derive(Debug, Default)]
pub(crate) struct Year {
    pub(crate) scans: u64,
    pub(crate) ended: u64,
    pub(crate) refused: u64,
    pub(crate) recovered: u64,
}

/// Faults of one look.
#[derive(Clone, Copy)]
struct Faults {
    /// How old the list of instances is, in minutes.
    instances: i64,
    /// How old the list of nodes is.
    nodes: i64,
    /// How many nodes are missing at its end, without a word.
    lost: usize,
    /// How far the worker's clock is off.
    clock: i64,
    /// Whether Auto Scaling does not answer.
    no_members: bool,
}

impl Faults {
    const NONE: Faults = Faults { instances: 0, nodes: 0, lost: 0, clock: 0, no_members: false };
}

/// Lists of the world as it is.
struct Kept {
    version: u64,
    instances: Vec<Instance>,
    nodes: Vec<domain::node::NodeView>,
}

struct Run {
    kept: Option<Kept>,
    rng: fastrand::Rng,
    world: World,
    agenda: Agenda,
    book: Watchbook,
    /// Ghosts' plans that are under way, and when the executor takes them up.
    plans: Vec<(i64, InstanceId)>,
    last_scan: i64,
    /// Whose nodes were on the list of the last look.
    listed: Vec<usize>,
    leapt: bool,
    year: Year,
}

/// Runs one year.
pub(crate) fn run(seed: u64) -> Year {
    let mut rng = fastrand::Rng::with_seed(seed);
    let (world, agenda) = grow(&mut rng);
    let book = Watchbook::new("acme".to_owned().try_into().unwrap(), "c-1".to_owned().try_into().unwrap());
    let mut run = Run {
        kept: None,
        rng,
        world,
        agenda,
        book,
        plans: Vec::new(),
        last_scan: i64::MIN / 2,
        listed: Vec::new(),
        leapt: false,
        year: Year::default(),
    };
    let mut hour = 0;
    while hour * 60 < YEAR {
        run.hour(hour * 60);
        hour = run.next_hour(hour);
    }
    let begins = hour;
    while (hour - begins) * 60 < QUIET {
        run.hour(hour * 60);
        hour += 1;
    }
    let left = check::left(&run.world);
    assert!(left.is_empty(), "machines {left:?} are waste, and were left after {} quiet hours", QUIET / 60);
    run.year
}

impl Run {
    fn quiet(&self) -> bool {
        self.world.now >= YEAR
    }

    /// The hour of the next scan that can see something new.
    fn next_hour(&mut self, hour: i64) -> i64 {
        let young = |seen: &domain::watch::Watch| clock(self.world.now, 0).duration_since(seen.first_seen) < SignedDuration::from_hours(30);
        let awaited = !self.plans.is_empty() || self.book.watches.values().any(young);
        if awaited || self.world.now - self.world.changed_at < 3 * 60 {
            return hour + 1;
        }
        let next = self.agenda.keys().next().map_or(YEAR, |(minute, _)| *minute);
        let to = (next / 60 - 2).max(hour + 1);
        // The scans in between would have seen what the last one saw.
        let seen = clock((to - 1) * 60, 0);
        if self.book.stopped.is_none() {
            self.book.scanned_at = self.book.scanned_at.map(|at| at.max(seen));
            for watch in self.book.watches.values_mut() {
                watch.last_seen = watch.last_seen.max(seen);
            }
        }
        to
    }

    fn hour(&mut self, minute: i64) {
        let at = minute + if self.quiet() { 0 } else { self.rng.i64(0..12) };
        self.execute(at);
        advance(&mut self.world, &mut self.agenda, at);
        let calm = self.quiet();
        // A scan is lost now and then: Lambda, the table, a page that fails.
        if !calm && self.rng.u8(0..20) == 0 {
            return;
        }
        let faults = if calm { Faults::NONE } else { self.faults() };
        let scan = self.look(faults);
        self.year.scans += 1;
        if !calm && self.rng.u8(0..30) == 0 {
            // Two at once from the same book: the slower one's is void, and with it all that it has seen.
            let faults = self.faults();
            let listed = std::mem::take(&mut self.listed);
            let slower = self.look(faults);
            self.listed = listed;
            assert_eq!(slower.book.version, scan.book.version);
        }
        self.last_scan = at;
        self.book = scan.book;
        for index in std::mem::take(&mut self.listed) {
            self.world.machines[index].on_a_list_at = self.world.now;
        }
        self.year.recovered += scan.news.iter().filter(|news| matches!(news, News::Recovered(..))).count() as u64;
        if !calm && self.rng.u8(0..25) == 0 {
            // It dies behind the book and before the plans.
            return;
        }
        for instance in scan.due {
            self.plans.push((self.world.now + if calm { 1 } else { self.rng.i64(0..50) }, instance));
        }
        self.execute(self.world.now + 1);
    }

    fn faults(&mut self) -> Faults {
        let rng = &mut self.rng;
        let rare = |rng: &mut fastrand::Rng, one_in: u8| rng.u8(0..one_in) == 0;
        // A clock leaps by hours now and then, though not twice in a row and not out of a gap, where nobody could tell.
        let may_leap = !self.leapt && self.world.now - self.last_scan < 90;
        self.leapt = may_leap && rare(rng, 40);
        let off = rng.i64(-10..=10);
        Faults {
            instances: if rare(rng, 8) { rng.i64(0..30) } else { 0 },
            nodes: if rare(rng, 8) { rng.i64(0..120) } else { 0 },
            lost: if rare(rng, 10) { rng.usize(1..5) } else { 0 },
            clock: if self.leapt { off + rng.i64(-30 * 60..30 * 60) } else { off },
            no_members: rare(rng, 20),
        }
    }

    /// One scan, read in the order in which the function reads: the world goes on between the lists.
    fn look(&mut self, faults: Faults) -> Scan {
        // Lists that are as the world is are kept while it does not change: most of a year is spent copying else.
        let kept = self.kept.take().filter(|kept| kept.version == self.world.version);
        let mut kept =
            kept.unwrap_or_else(|| Kept { version: self.world.version, instances: self.world.instances(0), nodes: self.world.nodes(0, 0) });
        let stale = (faults.instances > 0).then(|| self.world.instances(faults.instances));
        let plans = self.open_plans(None);
        if !self.quiet() {
            let later = self.world.now + self.rng.i64(0..3);
            advance(&mut self.world, &mut self.agenda, later);
        }
        let whole = faults.nodes == 0 && faults.lost == 0 && kept.version == self.world.version;
        let fresh = (!whole).then(|| self.world.nodes(faults.nodes, faults.lost));
        let nodes = fresh.as_deref().unwrap_or(&kept.nodes);
        let shown = |index: &usize| {
            let instance = self.world.machines[*index].instance.now.as_ref();
            instance.is_some_and(|found| nodes.iter().any(|node| node.instance().as_ref() == Some(&found.id)))
        };
        self.listed = (0..self.world.machines.len()).filter(shown).collect();
        let now = clock(self.world.now, faults.clock);
        let mut look = Look {
            now,
            cluster_name: CLUSTER,
            instances: stale.as_deref().unwrap_or(&kept.instances),
            open_plans: &plans,
            nodes,
            members: None,
        };
        let asked = suspects(&look).unwrap();
        let members = self.world.members(&asked);
        look.members = (!faults.no_members).then_some(members.as_slice());
        let scan = scan(&look, &self.book, SETTINGS).unwrap();
        if kept.version != self.world.version {
            kept = Kept { version: self.world.version, instances: self.world.instances(0), nodes: self.world.nodes(0, 0) };
        }
        self.kept = Some(kept);
        scan
    }

    fn open_plans(&self, without: Option<&InstanceId>) -> Vec<PlanRecord> {
        let mut plans = self.world.other_plans();
        plans.extend(self.plans.iter().map(|(_, instance)| instance).filter(|id| Some(*id) != without).map(ghost_plan));
        plans
    }

    /// The executor takes up what is due by now.
    fn execute(&mut self, to: i64) {
        while let Some(position) = self.plans.iter().position(|(at, _)| *at <= to) {
            let (at, instance) = self.plans[position].clone();
            advance(&mut self.world, &mut self.agenda, at);
            let in_hand = self.plans.len();
            self.end(&instance, in_hand);
            if !self.quiet() && self.rng.u8(0..10) == 0 {
                // The answer is lost, and the plan comes back once more.
                self.end(&instance, in_hand);
            }
            self.plans.remove(position);
        }
    }

    fn end(&mut self, instance: &InstanceId, in_hand: usize) {
        let calm = self.quiet();
        let shown: Vec<Instance> = self.world.instances(0).into_iter().filter(|found| found.id == *instance).collect();
        let plans = self.open_plans(Some(instance));
        // Where nodes are called like their instances a second, consistent read stands behind a list that may be stale.
        let stale = !calm && self.world.named_by_dns && self.rng.u8(0..4) == 0;
        let lag = if stale { self.rng.i64(0..120) } else { 0 };
        // Elsewhere the last look rests on the API's word that a list is whole or an error: a page lost without a word, with the very node in
        // it that joined since the last scan, could be told by nothing (seeds 15116 and 15562 of a year in which it happened).
        let lossy = !calm && self.world.named_by_dns && self.rng.u8(0..8) == 0;
        let lost = if lossy { self.rng.usize(1..5) } else { 0 };
        let nodes = self.world.nodes(lag, lost);
        let members = self.world.members(std::slice::from_ref(instance));
        let dns = shown.first().and_then(|found| found.private_dns.clone());
        let namesake = dns.and_then(|name| self.world.node(&name));
        let index = self.world.machines.iter().position(|m| m.instance.now.as_ref().is_some_and(|found| found.id == *instance));
        let off = if calm { 0 } else { self.rng.i64(-10..=10) };
        let look = Look {
            now: clock(self.world.now, off),
            cluster_name: CLUSTER,
            instances: &shown,
            open_plans: &plans,
            nodes: &nodes,
            members: Some(&members),
        };
        let end_forbidden = index.is_some_and(|index| self.world.machines[index].end_forbidden);
        let proof = Proof {
            wanted: instance,
            look,
            namesake: namesake.as_ref(),
            end_forbidden,
            book: &self.book,
            settings: SETTINGS,
            by: AskedBy::Scan,
        };
        match (verify(&proof), index) {
            (Ok(End::Gone), _) => {}
            (Ok(end), Some(index)) => {
                check::ends(&self.world, index, &end, in_hand, SETTINGS.per_scan_max);
                self.world.end(index, end == End::ThroughGroup);
                self.year.ended += 1;
            }
            (Ok(_), None) => panic!("{instance} is not there"),
            (Err(_), _) => self.year.refused += 1,
        }
    }
}
