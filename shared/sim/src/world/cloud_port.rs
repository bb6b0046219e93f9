//! EC2 and Auto Scaling, as the Cloud port.

use super::World;
use super::happened::{By, What};
use super::machines::Birth;
use super::state::{Asked, Machine, State};
use async_trait::async_trait;
use domain::decision::Commitment;
use domain::ids::{InstanceId, InstanceType, Zone};
use domain::node::{NodeOwner, NodeTemplate, RootVolume};
use domain::offering::{CapacityType, Pool};
use domain::ports::cloud::SpotPrice;
use domain::ports::{Cloud, CloudError, Instance, InstanceFilter, InstanceState, LaunchRequest, Lifecycle};
use domain::tenant::AwsScope;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How long a terminated instance is still listed.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(1);

fn mine(machine: &Machine, scope: &AwsScope) -> bool {
    machine.account == scope.account && machine.region == scope.region
}

pub(super) fn access(state: &State, scope: &AwsScope) -> Result<(), CloudError> {
    if state.clusters.iter().any(|kube| kube.spec.account == scope.account && kube.spec.region == scope.region) {
        return Ok(());
    }
    Err(CloudError::NoAccess(format!("AccessDenied: the role {} cannot be assumed", scope.role_arn)))
}

/// The cluster that an instance joins: the one of its tag, else that of the instance whose settings were copied.
fn joins(state: &State, scope: &AwsScope, request: &LaunchRequest, tags: &BTreeMap<String, String>) -> Option<usize> {
    let tagged = state.clusters.iter().position(|kube| {
        kube.spec.account == scope.account
            && kube.spec.region == scope.region
            && tags.contains_key(&format!("kubernetes.io/cluster/{}", kube.spec.name))
    });
    tagged.or_else(|| match &request.template {
        NodeTemplate::Clone { from, .. } => state.machines.get(from).and_then(|machine| machine.cluster),
        NodeTemplate::LaunchTemplate { .. } => None,
    })
}

impl State {
    fn launch(&mut self, scope: &AwsScope, request: &LaunchRequest) -> Result<Instance, CloudError> {
        access(self, scope)?;
        let pool = &request.offering.pool;
        let key = (scope.account.clone(), scope.region.clone(), request.client_token.clone(), pool.zone.clone());
        let asked = Asked {
            template: request.template.clone(),
            pool: pool.clone(),
            subnet: request.offering.subnet.clone(),
            tags: request.tags.clone(),
        };
        if let Some((before, id)) = self.tokens.get(&key) {
            let made = self.machines.get(id).map(Machine::view);
            return made.filter(|_| *before == asked).ok_or(CloudError::TokenMismatch);
        }
        let (user_data, mut tags) = refuse_bad_request(self, scope, request)?;
        tags.extend(request.tags.clone());
        let cluster = joins(self, scope, request, &tags);
        if !self.draw(pool) {
            self.note(cluster, What::NoCapacity { pool: pool.clone() });
            let why = format!("InsufficientInstanceCapacity: there is no {} capacity in {}", pool.instance_type, pool.zone);
            return Err(CloudError::NoCapacity(why));
        }
        let birth = Birth {
            cluster,
            account: scope.account.clone(),
            region: scope.region.clone(),
            pool: pool.clone(),
            subnet: asked.subnet.clone(),
            owner: NodeOwner::CloudOptim,
            token: Some(request.client_token.clone()),
            tags,
            user_data,
        };
        let id = self.born(birth, By::Us);
        self.tokens.insert(key, (asked, id.clone()));
        self.machines.get(&id).map(Machine::view).ok_or(CloudError::TokenMismatch)
    }

    fn list(&self, scope: &AwsScope, filter: &InstanceFilter) -> Vec<Instance> {
        let cluster_tag = match filter {
            InstanceFilter::Cluster(name) | InstanceFilter::Owned(name) => format!("kubernetes.io/cluster/{name}"),
            InstanceFilter::Ids(_) | InstanceFilter::ClientToken(_) | InstanceFilter::CapacityReservation(_) => String::new(),
        };
        let wanted = |machine: &Machine| match filter {
            InstanceFilter::Ids(ids) => ids.contains(&machine.id),
            InstanceFilter::Cluster(_) => machine.tags.contains_key(&cluster_tag),
            InstanceFilter::Owned(_) => machine.tags.get(&cluster_tag).is_some_and(|word| word == "owned"),
            InstanceFilter::ClientToken(token) => machine.token.as_ref() == Some(token),
            InstanceFilter::CapacityReservation(id) => machine.tags.get("capacity-reservation") == Some(id),
        };
        let shown = |machine: &Machine| {
            machine.visible_from <= self.now
                && machine.ended_at.and_then(|at| at.checked_add(REMEMBERED).ok()).is_none_or(|forgotten| forgotten > self.now)
        };
        self.machines.values().filter(|m| mine(m, scope) && shown(m) && wanted(m)).map(Machine::view).collect()
    }

    pub(super) fn prices_of(&mut self, pool: &Pool, since: Timestamp) -> Vec<SpotPrice> {
        let all = self.price_points(pool);
        // The price that holds when the period begins is listed too.
        let first = all.iter().rposition(|(at, _)| *at <= since).unwrap_or(0);
        let listed = all.get(first..).unwrap_or_default().iter();
        listed.map(|(at, price)| SpotPrice { pool: pool.clone(), price_per_hour: *price, since: (*at).max(since) }).collect()
    }
}

/// Checks what EC2 checks; gives the user data and the tags of the template.
fn refuse_bad_request(state: &State, scope: &AwsScope, request: &LaunchRequest) -> Result<(String, BTreeMap<String, String>), CloudError> {
    let (subnet, pool) = (&request.offering.subnet, &request.offering.pool);
    let here = state.clusters.iter().filter(|kube| kube.spec.account == scope.account && kube.spec.region == scope.region);
    let Some(zone) = here.flat_map(|kube| &kube.subnets).find(|(_, id)| *id == subnet).map(|(zone, _)| zone) else {
        return Err(CloudError::Refused(format!("InvalidSubnetID.NotFound: the subnet {subnet} does not exist")));
    };
    if *zone != pool.zone {
        return Err(CloudError::Refused(format!("InvalidParameterValue: {subnet} is in {zone}, not in {}", pool.zone)));
    }
    if request.client_token.is_empty() || request.client_token.len() > 64 || !request.client_token.is_ascii() {
        return Err(CloudError::Refused("InvalidParameterValue: a client token has 1 to 64 ASCII characters".to_owned()));
    }
    match &request.template {
        NodeTemplate::LaunchTemplate { id, .. } => Ok((id.clone(), BTreeMap::new())),
        NodeTemplate::Clone { user_data: None, .. } => {
            Err(CloudError::Refused("without user data the instance would never join the cluster".to_owned()))
        }
        NodeTemplate::Clone { user_data: Some(user_data), tags, .. } => Ok((user_data.clone(), tags.iter().cloned().collect())),
    }
}

fn template(machine: &Machine) -> NodeTemplate {
    let own = |key: &str| !key.starts_with("aws:") && !key.starts_with("cloudoptim.io/");
    NodeTemplate::Clone {
        from: machine.id.clone(),
        image: "ami-0123456789abcdef0".to_owned(),
        security_groups: vec!["sg-0123456789abcdef0".to_owned()],
        instance_profile: Some("nodes".to_owned()),
        key_name: None,
        user_data: Some(machine.user_data.clone()),
        root_volume: Some(RootVolume { device: "/dev/xvda".to_owned(), size_gib: 20, volume_type: "gp3".to_owned(), encrypted: true }),
        tags: machine.tags.iter().filter(|(key, _)| own(key)).map(|(key, value)| (key.clone(), value.clone())).collect(),
    }
}

#[async_trait]
impl Cloud for World {
    async fn launch(&self, scope: &AwsScope, request: &LaunchRequest) -> Result<Instance, CloudError> {
        self.call("launch", |state| state.launch(scope, request))
    }

    async fn instances(&self, scope: &AwsScope, filter: &InstanceFilter) -> Result<Vec<Instance>, CloudError> {
        self.call("instances", |state| access(state, scope).map(|()| state.list(scope, filter)))
    }

    async fn terminate(&self, scope: &AwsScope, instance: &InstanceId) -> Result<(), CloudError> {
        self.call("terminate", |state| {
            access(state, scope)?;
            if state.machines.get(instance).is_some_and(|machine| mine(machine, scope)) {
                state.ends(instance, By::Us, "Client.UserInitiatedShutdown: User initiated shutdown");
            }
            Ok(())
        })
    }

    async fn complete_lifecycle(&self, scope: &AwsScope, lifecycle: &Lifecycle) -> Result<(), CloudError> {
        self.call("complete_lifecycle", |state| {
            access(state, scope)?;
            let machine = state.machines.get(&lifecycle.instance).filter(|machine| mine(machine, scope));
            let waits = machine.and_then(|machine| machine.hook.as_ref()).is_some_and(|hook| {
                hook.group == lifecycle.group
                    && hook.name == lifecycle.hook
                    && lifecycle.token.as_ref().is_none_or(|token| *token == hook.token)
            });
            if waits {
                state.hook_let_go(&lifecycle.instance, By::Us);
            }
            Ok(())
        })
    }

    async fn template_of(&self, scope: &AwsScope, instance: &InstanceId) -> Result<NodeTemplate, CloudError> {
        self.call("template_of", |state| {
            access(state, scope)?;
            let known = |machine: &&Machine| mine(machine, scope) && machine.state != InstanceState::Terminated;
            let machine = state.machines.get(instance).filter(known);
            machine.map(template).ok_or_else(|| CloudError::Refused(format!("InvalidInstanceID.NotFound: {instance}")))
        })
    }

    async fn spot_prices(
        &self,
        scope: &AwsScope,
        types: &[InstanceType],
        zones: &[Zone],
        since: Timestamp,
    ) -> Result<Vec<SpotPrice>, CloudError> {
        self.call("spot_prices", |state| {
            access(state, scope)?;
            let mut prices = Vec::new();
            for (instance_type, zone) in types.iter().flat_map(|t| zones.iter().map(move |z| (t, z))) {
                let pool = Pool { instance_type: instance_type.clone(), zone: zone.clone(), capacity: CapacityType::Spot };
                prices.extend(state.prices_of(&pool, since));
            }
            prices.sort_by_key(|price| price.since);
            Ok(prices)
        })
    }

    async fn reserved(&self, scope: &AwsScope) -> Result<Vec<Commitment>, CloudError> {
        self.call("reserved", |state| {
            access(state, scope)?;
            let here = state.reserved.iter().filter(|(account, region, _)| *account == scope.account && *region == scope.region);
            Ok(here.map(|(_, _, commitment)| commitment.clone()).collect())
        })
    }
}
