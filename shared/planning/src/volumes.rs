//! Zombie volumes: EBS volumes that were made for a cluster, are attached to nothing, and are in no PersistentVolume any more.
//!
//! The cluster's list of PersistentVolumes is read after the account's list of volumes: what is claimed meanwhile is seen as claimed.
//! A volume whose PersistentVolume said `Retain` is kept for ever by its owner's wish, so that every scan notes what each says while
//! it is there; of a volume whose PersistentVolume no scan has seen nobody knows, and it is only reported.

use crate::ghosts::tags::{self, Tags, UntilExpiry};
use crate::ghosts::{NoClusterName, overdue, sighted};
use domain::policy::{Mode, WastePolicy};
use domain::ports::estate::EbsVolume;
use domain::ports::inventory::PersistentVolume;
use domain::watch::{Told, Watch, Watchbook};
use domain::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// Tags of the EBS driver and of the provisioner before it (their sources: `constants.go`, `volume.go`).
const MADE_FOR_CLUSTER: &str = "ebs.csi.aws.com/cluster-name";
const MADE_FOR: [&str; 4] =
    ["CSIVolumeName", "ebs.csi.aws.com/cluster", "kubernetes.io/created-for/pvc/name", "kubernetes.io/created-for/pv/name"];
/// How long nobody may have looked: volumes are looked at every six hours.
const GAP_MAX: SignedDuration = SignedDuration::from_hours(26);
/// How many PersistentVolumes a book has room for, at some 60 bytes each: an item of the table holds 400 KB.
pub const KNOWN_MAX: usize = 4_000;

/// What a customer allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long a volume is watched before it is deleted.
    pub grace: SignedDuration,
    /// How many one scan may have deleted.
    pub per_scan_max: usize,
    /// Whether any is deleted by itself.
    pub acts: bool,
}

impl From<&WastePolicy> for Settings {
    fn from(policy: &WastePolicy) -> Settings {
        Settings {
            grace: SignedDuration::from_hours(24 * i64::from(policy.volume_grace_days.max(1))),
            per_scan_max: policy.volumes_per_scan_max as usize,
            acts: policy.volumes == Mode::Auto,
        }
    }
}

/// One look.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// Now.
    pub now: Timestamp,
    /// The cluster's name.
    pub cluster_name: &'a str,
    /// Every unattached volume of the account, read first.
    pub volumes: &'a [EbsVolume],
    /// Every PersistentVolume of the cluster, read second.
    pub persistent: &'a [PersistentVolume],
}

/// A zombie that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zombie {
    /// The volume.
    pub volume: EbsVolume,
    /// Why it is not deleted by itself, where it is not.
    pub kept: Option<String>,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Seen for the first time.
    Found(String),
    /// It will be deleted soon.
    Warned(String),
}

/// What a scan comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The next page of the watchbook.
    pub book: Watchbook,
    /// What people are told before it is written.
    pub news: Vec<News>,
    /// All that stand.
    pub zombies: Vec<Zombie>,
    /// Those that are to be deleted now, oldest first.
    pub due: Vec<String>,
}

/// Whether a volume is a zombie of this cluster; else why not, in one sentence.
///
/// # Errors
/// The sentence.
pub fn judge(volume: &EbsVolume, look: &Look<'_>) -> Result<(), String> {
    let id = &volume.id;
    if !volume.available || volume.attached {
        return Err(format!("{id} is attached, or is on its way"));
    }
    if !made_for(look.cluster_name, &volume.tags) {
        return Err(format!("the tags of {id} do not say that it was made for a claim of this cluster"));
    }
    if let Some(tag) = tags::contested(look.cluster_name, &volume.tags) {
        return Err(format!("{id} is not this cluster's own ({tag})"));
    }
    if let Some(tag) = tags::left_alone(&volume.tags, look.now, UntilExpiry::Protects) {
        return Err(format!("the tag {tag} asks for {id} to be left alone"));
    }
    match look.persistent.iter().find(|pv| pv.volume.as_deref() == Some(id.as_str())) {
        Some(pv) => Err(format!("PersistentVolume {} names {id}", pv.name)),
        None => Ok(()),
    }
}

/// Whether it was made by the EBS driver, and provably for this cluster: a volume that names no cluster may be any cluster's.
fn made_for(cluster: &str, tags: &Tags) -> bool {
    let driver = MADE_FOR.iter().any(|key| tags.contains_key(*key));
    let named = match tags.get(MADE_FOR_CLUSTER) {
        Some(name) => name == cluster,
        None => tags::owned(cluster, tags).unwrap_or(false),
    };
    driver && named
}

/// One scan.
///
/// # Errors
/// [`NoClusterName`]: without a name everything would look like ours.
pub fn scan(look: &Look<'_>, before: &Watchbook, settings: Settings) -> Result<Scan, NoClusterName> {
    tags::named(look.cluster_name)?;
    let mut book = before.clone();
    let mut zombies = Vec::new();
    let mut news = Vec::new();
    let mut waiting: Vec<(Timestamp, String)> = Vec::new();
    let found: Vec<&EbsVolume> = look.volumes.iter().filter(|volume| judge(volume, look).is_ok()).collect();
    book.watches.retain(|id, _| !id.starts_with("vol-") || found.iter().any(|volume| volume.id.as_str() == id));
    for volume in found {
        let id = volume.id.as_str().to_owned();
        let kept = kept(&id, before);
        let watch = book.watches.entry(id.clone()).or_insert_with(|| Watch::new(look.now));
        if look.now.duration_since(watch.last_seen) > GAP_MAX {
            *watch = Watch::new(look.now);
        } else {
            // Its own gap is longer than a ghost's; what is counted is the same.
            let late = sighted(watch, look.now);
            if late {
                watch.last_seen = look.now;
                watch.sightings = watch.sightings.saturating_add(1);
            }
        }
        if watch.told == Told::Nothing {
            watch.told = Told::Found;
            news.push(News::Found(id.clone()));
        }
        if settings.acts && kept.is_none() {
            let warned_before = before.watches.get(&id).is_some_and(|then| then.told == Told::Warned) && watch.told == Told::Warned;
            if warned_before && overdue(watch.first_seen, settings.grace, look.now) {
                waiting.push((watch.first_seen, id.clone()));
            }
            let nearly = settings.grace.checked_mul(3).and_then(|three| three.checked_div(4)).unwrap_or(settings.grace);
            if watch.told == Told::Found && overdue(watch.first_seen, nearly, look.now) {
                watch.told = Told::Warned;
                news.push(News::Warned(id.clone()));
            }
        }
        zombies.push(Zombie { volume: volume.clone(), kept });
    }
    note(&mut book, look);
    waiting.sort();
    let due = waiting.into_iter().take(settings.per_scan_max).map(|(_, id)| id).collect();
    Ok(Scan { book, news, zombies, due })
}

/// Why a volume is not deleted by itself.
fn kept(id: &str, before: &Watchbook) -> Option<String> {
    match before.retained.get(id) {
        Some(false) => None,
        Some(true) => Some("Its PersistentVolume said Retain: its owner wants it kept. We only report it.".to_owned()),
        None => Some("No scan has seen its PersistentVolume, so nobody knows whether it said Retain. We only report it.".to_owned()),
    }
}

/// Notes what each PersistentVolume says, and forgets volumes that are neither claimed nor there.
fn note(book: &mut Watchbook, look: &Look<'_>) {
    let named: BTreeMap<&str, bool> = look.persistent.iter().filter_map(|pv| Some((pv.volume.as_deref()?, pv.retain))).collect();
    book.retained.retain(|id, _| named.contains_key(id.as_str()) || look.volumes.iter().any(|volume| volume.id.as_str() == id));
    for (id, retain) in named {
        // A word of Retain is not taken back by a later one: whoever said it once meant it.
        if let Some(known) = book.retained.get_mut(id) {
            *known |= retain;
        } else if book.retained.len() < KNOWN_MAX {
            book.retained.insert(id.to_owned(), retain);
        }
    }
}

/// Whether a volume may be deleted now; else why not, in one sentence. The same rules once more, on what was read for this one.
///
/// # Errors
/// The sentence.
pub fn verify(volume: &EbsVolume, look: &Look<'_>, book: &Watchbook, settings: Settings, by_person: bool) -> Result<(), String> {
    tags::named(look.cluster_name).map_err(|error| error.to_string())?;
    judge(volume, look)?;
    let id = volume.id.as_str();
    let Some(watch) = book.watches.get(id) else {
        return Err(format!("{id} is not watched any more: it was in use in between"));
    };
    if by_person {
        return Ok(());
    }
    if let Some(why) = kept(id, book) {
        return Err(why);
    }
    if watch.told != Told::Warned || !overdue(watch.first_seen, settings.grace, look.now) {
        return Err(format!("the grace of {id} is not over"));
    }
    if look.now.duration_since(watch.last_seen) > GAP_MAX {
        return Err(format!("nobody has looked at {id} for too long; its grace begins anew"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
