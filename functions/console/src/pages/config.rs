//! Config: what a cluster's policy allows, windows, whom notices are sent to, and the kill switch.

use super::shared;
use crate::ask::{Act, Answer, Ask};
use crate::failure::Failure;
use crate::show;
use crate::trail::changed;
use crate::view::{Cell, Column, Field, Form, Page, Part, Table, Tone, acts};
use crate::words;
use domain::decision::DecisionType;
use domain::ids::{ClusterId, TargetId};
use domain::notify::{Channel, Target, TargetState, Waiting};
use domain::policy::{ClusterPolicy, Mode};
use domain::ports::{Moment, Notice};
use domain::tenant::{Cluster, Role};
use serde_json::json;

/// Capabilities whose mode can be set here, by the name of their field.
const CAPABILITIES: [(&str, &str); 8] = [
    ("spot", "Moves to and between spot pools"),
    ("bin_packing", "Fewer or cheaper nodes"),
    ("rightsizing", "Nodes of a fitting size"),
    ("workload_sizes", "Requests of containers that fit what they use"),
    ("out_of_memory", "More memory for containers that were OOM killed"),
    ("ghosts", "Instances that are no nodes"),
    ("volumes", "Volumes that nothing claims"),
    ("interruption", "Interruptions"),
];

fn mode_of(policy: &ClusterPolicy, name: &str) -> Option<Mode> {
    Some(match name {
        "spot" => policy.optimization.mode(DecisionType::SpotOptimize),
        "bin_packing" => policy.optimization.mode(DecisionType::BinPack),
        "rightsizing" => policy.optimization.mode(DecisionType::Rightsize),
        "workload_sizes" => policy.workloads.rightsizing,
        "out_of_memory" => policy.workloads.oom_remediation,
        "ghosts" => policy.waste.ghosts,
        "volumes" => policy.waste.volumes,
        "interruption" => policy.interruption.mode,
        _ => return None,
    })
}

fn set_mode(policy: &mut ClusterPolicy, name: &str, mode: Mode) -> Option<()> {
    let place = match name {
        "spot" => &mut policy.optimization.spot,
        "bin_packing" => &mut policy.optimization.bin_packing,
        "rightsizing" => &mut policy.optimization.rightsizing,
        "workload_sizes" => &mut policy.workloads.rightsizing,
        "out_of_memory" => &mut policy.workloads.oom_remediation,
        "ghosts" => &mut policy.waste.ghosts,
        "volumes" => &mut policy.waste.volumes,
        "interruption" => &mut policy.interruption.mode,
        _ => return None,
    };
    *place = mode;
    Some(())
}

/// `GET /console/config`.
///
/// # Errors
/// The table did not answer.
pub async fn show(ask: Ask) -> Answer {
    let lead = "What each cluster allows. A mode is how far a capability may go by itself: look, say, do what was approved, do.";
    let mut page = Page::new("config", "Config", lead);
    let cluster = ask.cluster_or_first().await?;
    if let Some(cluster) = &cluster {
        page = page
            .with(shared::chooser(&ask, "/console/config", &cluster.id).await?)
            .with(modes(cluster))
            .with(limits(cluster))
            .with(windows(cluster, &ask));
    } else {
        page = shared::no_cluster(page);
    }
    if ask.may(Role::Admin) {
        page = page.with(Part::Forms(admin_forms(cluster.as_ref(), &ask).await?));
    }
    let targets = ask.deps.outbox.targets(&ask.session.customer).await?;
    page = page.with(targets_table(&targets, &ask)).with(session(&ask));
    ask.page(page).await
}

fn modes(cluster: &Cluster) -> Table {
    let rows = CAPABILITIES.iter().filter_map(|(name, says)| {
        let mode = mode_of(&cluster.policy, name)?;
        let tone = match mode {
            Mode::Observe => Tone::Quiet,
            Mode::Recommend => Tone::Plain,
            Mode::Approve => Tone::Warn,
            Mode::Auto => Tone::Good,
        };
        Some(vec![Cell::text(*says).beneath(*name), Cell::mark(words::mode(mode), tone)])
    });
    Table::new("modes", format!("Modes of {}", cluster.name))
        .columns(["Capability", "Mode"].map(Column::text))
        .rows(rows)
        .age(format!("version {}", cluster.version))
}

fn limits(cluster: &Cluster) -> Table {
    let (policy, budget, waste) = (&cluster.policy.optimization, cluster.policy.budget, &cluster.policy.waste);
    let rows = [
        ("Nodes in disruption at once", format!("{} %, at most {}", budget.nodes_percent_max, budget.nodes_max)),
        ("A move must save", format!("{} % and {}", policy.saving_percent_min, show::hourly(policy.saving_per_hour_min))),
        ("And pay back within", format!("{} min", policy.payback_minutes_max)),
        ("A node must be older than", format!("{} min", policy.node_age_min_minutes)),
        ("A workload rests after a move", format!("{} min", policy.cool_down_minutes)),
        ("Replicas kept on on-demand", format!("{} %", policy.on_demand_percent_min)),
        ("Spot nodes from one pool", format!("at most {} %", policy.pool_share_percent_max)),
        ("Size of nodes", format!("{} to {} vCPU", policy.vcpu_min, policy.vcpu_max)),
        ("A snapshot is acted on for", format!("{} s", policy.snapshot_age_max_s)),
        (
            "Added cost while moves run",
            policy.surge_per_hour_max.map_or_else(|| "no limit".to_owned(), |most| format!("at most {}", show::hourly(most))),
        ),
        ("Grace of ghosts", format!("{} h", waste.ghost_grace_hours)),
        ("Grace of volumes", format!("{} d", waste.volume_grace_days)),
    ];
    let rows = rows.map(|(name, value)| vec![Cell::text(name), Cell::text(value)]);
    Table::new("limits", "Limits")
        .columns(["What", "Limit"].map(Column::text))
        .rows(rows)
        .age("change them with PUT /api/v1/admin/clusters/{id}")
}

fn windows(cluster: &Cluster, ask: &Ask) -> Table {
    let rows = cluster.policy.optimization.windows.iter().map(|window| {
        let state = match window.open(ask.now) {
            Ok(true) => Cell::mark("open now", Tone::Good),
            Ok(false) => Cell::mark("closed", Tone::Quiet),
            Err(error) => Cell::mark("can never open", Tone::Bad).beneath(error.to_string()),
        };
        vec![
            Cell::text(window.days.join(", ")),
            Cell::text(window.from.clone()),
            Cell::text(format!("{} min", window.minutes)),
            Cell::text(window.time_zone.clone()),
            state,
        ]
    });
    let columns = ["Days", "From", "For", "Time zone", "State"].map(Column::text);
    Table::new("windows", "Windows in which plans are carried out")
        .columns(columns)
        .rows(rows)
        .empty("None: plans are carried out at any time.")
}

async fn admin_forms(cluster: Option<&Cluster>, ask: &Ask) -> Result<Vec<Form>, Failure> {
    let mut forms = Vec::new();
    if let Some(cluster) = cluster {
        let what = CAPABILITIES.iter().map(|(name, says)| ((*name).to_owned(), (*says).to_owned())).collect();
        let modes = words::MODES.iter().map(|(mode, says)| (words::mode(*mode).to_owned(), (*says).to_owned())).collect();
        let form = Form::new("/console/config/mode", "Set the mode").says("It holds from the next round on. What is under way goes on.");
        let form = form.field(Field::hidden("cluster", cluster.id.as_str())).field(Field::hidden("version", cluster.version.to_string()));
        forms.push(form.field(Field::choice("what", "Capability", "spot", what)).field(Field::choice("mode", "Mode", "approve", modes)));
    }
    let id = cluster
        .map_or_else(|| ClusterId::parse("none"), |cluster| Ok(cluster.id.clone()))
        .map_err(|error| Failure::Internal(error.to_string()))?;
    let halt = ask.deps.registry.halted(&ask.session.customer, &id).await?;
    let mut scopes = vec![("customer".to_owned(), "everything of ours".to_owned())];
    scopes.extend(cluster.map(|cluster| (format!("cluster {}", cluster.id), format!("only {}", cluster.name))));
    let scope = |form: Form| form.field(Field::choice("scope", "What", "customer", scopes.clone()));
    forms.push(
        scope(Form::new("/console/config/halt", "Stop").tone(Tone::Bad))
            .field(Field::text("reason", "Why", ""))
            .says("The kill switch: read before each change. Interruptions are not ours to stop; nothing else is begun."),
    );
    if let Some(halt) = halt {
        let lift = scope(Form::new("/console/config/halt", "Lift the stop")).field(Field::hidden("lift", "yes"));
        forms.push(lift.says(format!("{} is stopped: {}", halt.scope, halt.reason)));
    }
    Ok(forms)
}

fn targets_table(targets: &[Target], ask: &Ask) -> Table {
    let columns = ["Target", "Channel", "Notices", "State", ""].map(Column::text);
    let rows = targets.iter().map(|target| {
        let to = match &target.channel {
            Channel::Slack { host, .. } | Channel::Webhook { host, .. } => host,
            Channel::Email { to } => to,
        };
        let state = match &target.state {
            TargetState::Active => Cell::mark("active", Tone::Good),
            TargetState::Disabled { why, .. } => Cell::mark("disabled", Tone::Warn).beneath(why.clone()),
        };
        let kinds = if target.kinds.is_empty() { "all".to_owned() } else { target.kinds.join(", ") };
        let test = Form::new("/console/config/test", "Send a test")
            .field(Field::hidden("target", target.id.as_str()))
            .field(Field::hidden("wish", format!("{:032x}", (ask.deps.ids)())));
        let button = if acts(ask) { Cell::default().button(test) } else { Cell::default() };
        vec![Cell::text(target.label.clone()).beneath(to.clone()), Cell::text(target.channel.as_str()), Cell::text(kinds), state, button]
    });
    Table::new("targets", "Whom notices are sent to")
        .columns(columns)
        .rows(rows)
        .empty("Nobody is told of anything. Add a target with POST /api/v1/notifications/targets.")
}

fn session(ask: &Ask) -> Table {
    let session = &ask.session;
    let row = |name: &str, value: String| vec![Cell::text(name), Cell::text(value)];
    Table::new("session", "Your session")
        .columns(["What", "Value"].map(Column::text))
        .row(row("Key", session.label.clone()))
        .row(row("Role", words::role(session.role).to_owned()))
        .row(row("Customer", session.customer.to_string()))
        .row(row("Ends", format!("{}, {}", show::ahead(ask.now, session.until), show::utc(session.until))))
}

/// `POST /console/config/mode`.
///
/// # Errors
/// They may not, it is not theirs, or somebody else changed it first.
pub async fn mode(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let mut cluster = act.ask.cluster(act.need("cluster")?).await?;
    let version: u64 = act.need("version")?.parse().map_err(|_| Failure::Stale)?;
    if cluster.version != version {
        return Err(Failure::Refused("The cluster was changed since you read the page. Reload it, and set the mode again.".to_owned()));
    }
    let word = act.need("mode")?;
    let mode = words::MODES.iter().map(|(mode, _)| *mode).find(|mode| words::mode(*mode) == word);
    let mode = mode.ok_or_else(|| Failure::Refused("There is no such mode.".to_owned()))?;
    let was = json!({ "version": version, "policy": cluster.policy });
    set_mode(&mut cluster.policy, act.need("what")?, mode).ok_or_else(|| Failure::Refused("There is no such capability.".to_owned()))?;
    (cluster.version, cluster.updated_at) = (version + 1, act.ask.now);
    act.ask.deps.registry.put_cluster(&cluster, Some(version)).await?;
    tracing::info!(cluster.id = %cluster.id, mode = word, by = act.ask.session.label, "A mode was set in the console");
    act.ask.deps.fleets.changed(&cluster.customer, &cluster.id);
    let is = json!({ "version": cluster.version, "policy": cluster.policy });
    Ok(changed(act.done(&format!("/console/config?cluster={}", cluster.id), "mode")?, was, is))
}

/// `POST /console/config/halt`.
///
/// # Errors
/// They may not, the cluster is not theirs, or no reason is given.
pub async fn halt(act: Act) -> Answer {
    act.must(Role::Admin)?;
    let customer = &act.ask.session.customer;
    let cluster = match act.need("scope")?.split_once(' ') {
        Some(("cluster", id)) => Some(act.ask.cluster(id).await?.id),
        _ => None,
    };
    let lift = act.get("lift").is_some();
    let reason = match (lift, act.get("reason")) {
        (true, _) => None,
        (false, Some(reason)) if reason.chars().count() <= 500 => Some(format!("{reason} ({})", act.ask.session.label)),
        (false, _) => return Err(Failure::Refused("Say in 1 to 500 characters why everything stands still.".to_owned())),
    };
    let registry = &act.ask.deps.registry;
    let named = cluster.clone().map_or_else(|| ClusterId::parse("none"), Ok).map_err(|error| Failure::Internal(error.to_string()))?;
    let halted = async || registry.halted(customer, &named).await.map(|halted| json!({ "halted": halted }));
    let was = halted().await?;
    registry.set_halt(Some(customer), cluster.as_ref(), reason.as_deref()).await?;
    let is = halted().await?;
    tracing::warn!(customer.id = %customer, halted = !lift, by = act.ask.session.label, "The kill switch was used in the console");
    Ok(changed(act.done("/console/config", if lift { "lifted" } else { "halted" })?, was, is))
}

/// `POST /console/config/test`.
///
/// # Errors
/// They may not, or it is not theirs.
pub async fn test(act: Act) -> Answer {
    act.must(Role::Operator)?;
    let id = TargetId::parse(act.need("target")?).map_err(|_| Failure::Absent("target"))?;
    let outbox = &act.ask.deps.outbox;
    let target = outbox.target(&act.ask.session.customer, &id).await?.ok_or(Failure::Absent("target"))?;
    let cluster = ClusterId::parse("none").map_err(|error| Failure::Internal(error.to_string()))?;
    let said = vec![format!("{} asked for a test of {}. Nothing has happened.", act.ask.session.label, target.label)];
    let now = act.ask.now;
    let mut notice = Notice::new((&target.customer, &cluster), ("test", Moment::Detected), (target.id.as_str(), now), said, now);
    notice.id = format!("test/{}", act.new_id());
    outbox.enter(&target, Waiting { since: now, replay: 0, notice }).await?;
    act.done("/console/config", "test")
}
