//! Which model speaks, which one is run beside it, and how that came to be.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many changes are remembered, the newest.
pub const CHANGES_MAX: usize = 100;

/// Who answers questions for chances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum EngineChoice {
    /// The engine of this server.
    #[default]
    BuiltIn,
    /// The active model; the engine of this server where the model fails.
    Model,
}

/// What a model is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ModelState {
    /// Checked, and not used yet.
    Ready,
    /// Run beside who answers; what it says is logged and told to nobody.
    Shadow,
    /// The one that answers, where [`EngineChoice::Model`] is chosen.
    Active,
    /// Was active.
    Retired,
}

/// What was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// A model was activated.
    Activated,
    /// What was active before is active again.
    RolledBack,
    /// A model began to run in the shadow.
    ShadowBegun,
    /// It ended.
    ShadowEnded,
    /// Who answers was chosen.
    EngineChosen,
}

/// One change: who, when and what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub what: ChangeKind,
    /// The model that it is about; of a roll-back the one that is active again. `None`: the engine of this server.
    pub model: Option<String>,
}

/// Which model speaks, and which one is run beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default)]
pub struct Deployment {
    /// Counts changes: two people who change at once are told so.
    pub version: u64,
    /// Who answers.
    pub engine: EngineChoice,
    /// The active model.
    pub active: Option<String>,
    /// What was active before it, the last one last; `None` in it: no model was.
    pub before: Vec<Option<String>>,
    /// The model in the shadow.
    pub shadow: Option<String>,
    /// Every change, newest first.
    pub changes: Vec<Change>,
}

/// Why nothing is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It was never run in the shadow.
    #[error("this model was never run in the shadow: run it there first, or say `without_shadow`")]
    NeverInShadow,
    /// It is active already.
    #[error("this model is active already")]
    ActiveAlready,
    /// There is nothing to go back to.
    #[error("no model was activated, so there is nothing to go back to")]
    NothingBefore,
    /// It is not in the shadow.
    #[error("this model does not run in the shadow")]
    NotInShadow,
    /// No model is active.
    #[error("no model is active: activate one first")]
    NoneActive,
    /// It is in use, or would be after a roll-back.
    #[error("this model is in use, or would be again after a roll-back")]
    InUse,
}

impl Refusal {
    /// The code in answers. It never changes.
    pub fn code(self) -> &'static str {
        match self {
            Refusal::NeverInShadow => "model-never-in-shadow",
            Refusal::ActiveAlready => "model-active-already",
            Refusal::NothingBefore => "nothing-before",
            Refusal::NotInShadow => "model-not-in-shadow",
            Refusal::NoneActive => "no-model-active",
            Refusal::InUse => "model-in-use",
        }
    }
}

impl Deployment {
    /// What a model is used for.
    pub fn state(&self, model: &str) -> ModelState {
        if self.active.as_deref() == Some(model) {
            ModelState::Active
        } else if self.shadow.as_deref() == Some(model) {
            ModelState::Shadow
        } else if self.was(ChangeKind::Activated, model) {
            ModelState::Retired
        } else {
            ModelState::Ready
        }
    }

    /// The model that answers now.
    pub fn speaks(&self) -> Option<&str> {
        match self.engine {
            EngineChoice::Model => self.active.as_deref(),
            EngineChoice::BuiltIn => None,
        }
    }

    fn was(&self, what: ChangeKind, model: &str) -> bool {
        self.changes.iter().any(|change| change.what == what && change.model.as_deref() == Some(model))
    }

    fn changed(mut self, at: Timestamp, by: &str, what: ChangeKind, model: Option<String>) -> Deployment {
        self.version += 1;
        self.changes.insert(0, Change { at, by: by.to_owned(), what, model });
        self.changes.truncate(CHANGES_MAX);
        self
    }

    /// The model answers from now on. It leaves the shadow, and what was active is kept for a roll-back.
    ///
    /// # Errors
    /// [`Refusal`]: it is active already, or was never run in the shadow and nobody said that this is wanted.
    pub fn activate(mut self, model: &str, without_shadow: bool, by: &str, at: Timestamp) -> Result<Deployment, Refusal> {
        if self.speaks() == Some(model) {
            return Err(Refusal::ActiveAlready);
        }
        if !without_shadow && !self.was(ChangeKind::ShadowBegun, model) && !self.was(ChangeKind::Activated, model) {
            return Err(Refusal::NeverInShadow);
        }
        if self.shadow.as_deref() == Some(model) {
            self.shadow = None;
        }
        let before = self.speaks().map(str::to_owned);
        self.before.push(before);
        // As many as changes are remembered: who goes back further uploads.
        let surplus = self.before.len().saturating_sub(CHANGES_MAX);
        self.before.drain(..surplus);
        self.active = Some(model.to_owned());
        self.engine = EngineChoice::Model;
        Ok(self.changed(at, by, ChangeKind::Activated, Some(model.to_owned())))
    }

    /// What answered before the active model was activated answers again.
    ///
    /// # Errors
    /// [`Refusal::NothingBefore`].
    pub fn roll_back(mut self, by: &str, at: Timestamp) -> Result<Deployment, Refusal> {
        let before = self.before.pop().ok_or(Refusal::NothingBefore)?;
        self.engine = if before.is_some() { EngineChoice::Model } else { EngineChoice::BuiltIn };
        self.active.clone_from(&before);
        Ok(self.changed(at, by, ChangeKind::RolledBack, before))
    }

    /// The model runs beside who answers; another that did so stops.
    ///
    /// # Errors
    /// [`Refusal::ActiveAlready`]: it answers, and cannot run beside itself.
    pub fn begin_shadow(mut self, model: &str, by: &str, at: Timestamp) -> Result<Deployment, Refusal> {
        if self.speaks() == Some(model) {
            return Err(Refusal::ActiveAlready);
        }
        self.shadow = Some(model.to_owned());
        Ok(self.changed(at, by, ChangeKind::ShadowBegun, Some(model.to_owned())))
    }

    /// It no longer does.
    ///
    /// # Errors
    /// [`Refusal::NotInShadow`].
    pub fn end_shadow(mut self, model: &str, by: &str, at: Timestamp) -> Result<Deployment, Refusal> {
        if self.shadow.as_deref() != Some(model) {
            return Err(Refusal::NotInShadow);
        }
        self.shadow = None;
        Ok(self.changed(at, by, ChangeKind::ShadowEnded, Some(model.to_owned())))
    }

    /// Who answers from now on: the engine of this server leaves the active model as it is, to be chosen again.
    ///
    /// # Errors
    /// [`Refusal::NoneActive`].
    pub fn choose(mut self, engine: EngineChoice, by: &str, at: Timestamp) -> Result<Deployment, Refusal> {
        if engine == EngineChoice::Model && self.active.is_none() {
            return Err(Refusal::NoneActive);
        }
        self.engine = engine;
        let model = self.speaks().map(str::to_owned);
        Ok(self.changed(at, by, ChangeKind::EngineChosen, model))
    }

    /// Whether a model may be removed: nothing uses it, and no roll-back leads to it.
    ///
    /// # Errors
    /// [`Refusal::InUse`].
    pub fn let_go(&self, model: &str) -> Result<(), Refusal> {
        let used = self.active.iter().chain(&self.shadow).chain(self.before.iter().flatten());
        if used.into_iter().any(|id| id == model) { Err(Refusal::InUse) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + 60 * minutes).unwrap()
    }

    fn active(ids: &[&str]) -> Deployment {
        let one = |state: Deployment, id: &&str| state.activate(id, true, "ann", at(0)).unwrap();
        ids.iter().fold(Deployment::default(), one)
    }

    #[test]
    fn what_is_activated_speaks_and_a_roll_back_leads_back_step_by_step() {
        let state = active(&["m-1", "m-2"]);
        assert_eq!((state.speaks(), state.state("m-1"), state.state("m-2")), (Some("m-2"), ModelState::Retired, ModelState::Active));
        let state = state.roll_back("bob", at(1)).unwrap();
        assert_eq!((state.speaks(), state.changes[0].by.as_str(), state.changes[0].at), (Some("m-1"), "bob", at(1)));
        let state = state.roll_back("bob", at(2)).unwrap();
        assert_eq!((state.speaks(), state.engine), (None, EngineChoice::BuiltIn));
        assert_eq!(state.version, 4, "every change counts");
        assert_eq!(state.roll_back("bob", at(3)), Err(Refusal::NothingBefore));
    }

    #[test]
    fn a_model_is_run_in_the_shadow_before_it_speaks() {
        let state = Deployment::default();
        assert_eq!(state.clone().activate("m-1", false, "ann", at(0)), Err(Refusal::NeverInShadow));
        let state = state.begin_shadow("m-1", "ann", at(0)).unwrap();
        assert_eq!((state.speaks(), state.state("m-1")), (None, ModelState::Shadow));
        let state = state.activate("m-1", false, "ann", at(1)).unwrap();
        assert_eq!((state.speaks(), state.shadow.as_deref()), (Some("m-1"), None));
        assert_eq!(state.clone().begin_shadow("m-1", "ann", at(2)), Err(Refusal::ActiveAlready));
        assert_eq!(state.activate("m-1", false, "ann", at(2)), Err(Refusal::ActiveAlready));
    }

    #[test]
    fn who_was_active_once_needs_no_second_shadow() {
        let state = active(&["m-1", "m-2"]);
        assert_eq!(state.activate("m-1", false, "ann", at(1)).unwrap().speaks(), Some("m-1"));
    }

    #[test]
    fn the_engine_of_the_server_can_be_chosen_and_the_model_again() {
        let state = active(&["m-1"]).choose(EngineChoice::BuiltIn, "ann", at(1)).unwrap();
        assert_eq!((state.speaks(), state.active.as_deref()), (None, Some("m-1")));
        assert_eq!(state.choose(EngineChoice::Model, "ann", at(2)).unwrap().speaks(), Some("m-1"));
        assert_eq!(Deployment::default().choose(EngineChoice::Model, "ann", at(0)), Err(Refusal::NoneActive));
    }

    #[test]
    fn what_is_in_use_is_not_removed_and_a_shadow_ends_once() {
        let state = active(&["m-1", "m-2"]).begin_shadow("m-3", "ann", at(1)).unwrap();
        assert!(["m-1", "m-2", "m-3"].iter().all(|id| state.let_go(id) == Err(Refusal::InUse)));
        assert_eq!(state.let_go("m-4"), Ok(()));
        let state = state.end_shadow("m-3", "ann", at(2)).unwrap();
        assert_eq!(state.let_go("m-3"), Ok(()));
        assert_eq!(state.end_shadow("m-3", "ann", at(3)), Err(Refusal::NotInShadow));
    }

    #[test]
    fn history_has_an_end() {
        let ids: Vec<String> = (0..250).map(|n| format!("m-{n}")).collect();
        let state = active(&ids.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!((state.changes.len(), state.before.len(), state.version), (CHANGES_MAX, CHANGES_MAX, 250));
        assert_eq!(state.roll_back("ann", at(1)).unwrap().speaks(), Some("m-248"));
    }
}
