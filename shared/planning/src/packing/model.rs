//! The problem as the methods read it: requests and capacities as vectors, dominated bins gone, prices with the surcharge.

use super::{Allowed, Bin, Shape, Unpackable};
use domain::money::MicroDollars;

/// What is counted on a node: CPU, memory, pods.
pub(super) const DIMENSIONS: usize = 3;

/// An amount of each of the [`DIMENSIONS`]: thousandths of a core, bytes, pods.
pub(super) type Amount = [u64; DIMENSIONS];

/// A kind of node that may be bought, or that is there.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    /// Its index among the bins of the caller.
    pub(super) bin: usize,
    pub(super) capacity: Amount,
    /// Price and surcharge, USD per hour.
    pub(super) price: f64,
    /// The same in whole micro-dollars.
    pub(super) micros: i64,
    pub(super) available: Option<u32>,
    /// The shapes that may lie here, in their order, and how many of each fit when nothing else does.
    pub(super) fits: Vec<Fit>,
}

/// A shape on a kind of node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    pub(super) shape: usize,
    pub(super) most: u32,
}

/// Pods on one node: shapes and how many of each, by shape.
pub(super) type Contents = Vec<(usize, u32)>;

/// The contents of one node, and its kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Column {
    pub(super) kind: usize,
    pub(super) contents: Contents,
}

/// Nodes with contents, and their cost in USD per hour.
#[derive(Debug, Clone, Default)]
pub(super) struct Packed {
    pub(super) nodes: Vec<(Column, u32)>,
    pub(super) cost: f64,
}

/// Shapes and the kinds worth buying.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) needs: Vec<Amount>,
    pub(super) counts: Vec<u32>,
    pub(super) kinds: Vec<Kind>,
}

impl Model {
    /// Reads the input; refuses prices below zero and shapes that fit nowhere.
    pub(super) fn new(shapes: &[Shape], bins: &[Bin], surcharge: MicroDollars) -> Result<Model, Unpackable> {
        let needs: Vec<Amount> = shapes.iter().map(|shape| [shape.cpu_millis, shape.memory_bytes, 1]).collect();
        let mut kinds = Vec::with_capacity(bins.len());
        for (index, bin) in bins.iter().enumerate() {
            let price = bin.price + surcharge;
            if bin.price < MicroDollars(0) || surcharge < MicroDollars(0) {
                return Err(Unpackable::PriceBelowZero { bin: index });
            }
            let capacity = [bin.cpu_millis, bin.memory_bytes, u64::from(bin.pods)];
            let fits: Vec<Fit> = fits(shapes, &needs, index, &capacity);
            if !fits.is_empty() && bin.available != Some(0) {
                let micros = price.0;
                kinds.push(Kind { bin: index, capacity, price: micros as f64 / 1e6, micros, available: bin.available, fits });
            }
        }
        for (shape, wanted) in shapes.iter().enumerate() {
            if wanted.count > 0 && !kinds.iter().any(|kind| kind.fits.iter().any(|fit| fit.shape == shape)) {
                return Err(Unpackable::FitsNowhere { shape });
            }
        }
        let kept: Vec<bool> = (0..kinds.len()).map(|i| !is_dominated(&kinds, i)).collect();
        let mut kept = kept.into_iter();
        kinds.retain(|_| kept.next().unwrap_or(true));
        Ok(Model { needs, counts: shapes.iter().map(|shape| shape.count).collect(), kinds })
    }

    /// What a set of contents asks for in all.
    pub(super) fn load(&self, contents: &[(usize, u32)]) -> Amount {
        let mut load = [0; DIMENSIONS];
        for (shape, times) in contents {
            for (sum, need) in load.iter_mut().zip(&self.needs[*shape]) {
                *sum += need * u64::from(*times);
            }
        }
        load
    }

    /// The nodes as a packing, with its cost.
    pub(super) fn packed(&self, nodes: Vec<(Column, u32)>) -> Packed {
        let cost = nodes.iter().map(|(column, times)| self.kinds[column.kind].price * f64::from(*times)).sum();
        Packed { nodes, cost }
    }

    /// How many nodes of each kind there are.
    pub(super) fn free(&self) -> Vec<Option<u32>> {
        self.kinds.iter().map(|kind| kind.available).collect()
    }

    /// Whether these contents may lie on a node of this kind.
    pub(super) fn holds(&self, kind: &Kind, contents: &[(usize, u32)]) -> bool {
        let load = self.load(contents);
        load.iter().zip(&kind.capacity).all(|(load, capacity)| load <= capacity)
            && contents.iter().all(|(shape, times)| kind.most(*shape) >= *times)
    }
}

impl Kind {
    /// How many pods of the shape fit on an empty node; none where it is not allowed.
    pub(super) fn most(&self, shape: usize) -> u32 {
        self.fits.binary_search_by_key(&shape, |fit| fit.shape).map_or(0, |at| self.fits[at].most)
    }
}

pub(super) fn fits(shapes: &[Shape], needs: &[Amount], bin: usize, capacity: &Amount) -> Vec<Fit> {
    let mut fits = Vec::new();
    for (index, shape) in shapes.iter().enumerate() {
        let allowed = match &shape.allowed {
            Allowed::Anywhere => true,
            Allowed::Only(bins) => bins.contains(&bin),
        };
        if !allowed {
            continue;
        }
        let room = capacity.iter().zip(&needs[index]).filter(|(_, need)| **need > 0).map(|(capacity, need)| capacity / need);
        let most = room.min().unwrap_or(0).min(u64::from(shape.count.min(shape.most_per_bin.unwrap_or(u32::MAX))));
        // At most the count, which is a u32.
        if let Ok(most) = u32::try_from(most)
            && most > 0
        {
            fits.push(Fit { shape: index, most });
        }
    }
    fits
}

/// Whether another kind does all that this one does for no more money. Nodes that are there stay: to leave them has a price
/// of its own, which the caller knows.
fn is_dominated(kinds: &[Kind], index: usize) -> bool {
    let kind = &kinds[index];
    if kind.available.is_some() {
        return false;
    }
    kinds.iter().enumerate().any(|(other_index, other)| {
        let no_smaller = other.capacity.iter().zip(&kind.capacity).all(|(theirs, ours)| theirs >= ours);
        let equal = other.capacity == kind.capacity && other.micros == kind.micros;
        other_index != index
            && other.available.is_none()
            && no_smaller
            && other.micros <= kind.micros
            && kind.fits.iter().all(|fit| other.most(fit.shape) >= fit.most)
            // Of two alike in everything the first stays.
            && (!equal || other_index < index || other.fits.len() > kind.fits.len())
    })
}
