//! Load balancers of both generations, their tags, and what is registered behind them.

use crate::access::Session;
use crate::describe::timestamp;
use crate::errors::{from_sdk, has_code, unreadable};
use crate::throttle::Call;
use aws_sdk_elasticloadbalancing as classic;
use aws_sdk_elasticloadbalancingv2 as v2;
use domain::ports::CloudError;
use domain::ports::estate::{BalancerKind, Behind, LoadBalancer};
use std::collections::BTreeMap;

/// The largest page of either generation (API reference).
const PAGE: i32 = 400;
/// How many load balancers one DescribeTags takes (API reference).
const TAGS_PER_CALL: usize = 20;

/// Lists load balancers of every generation, with their tags.
pub(crate) async fn load_balancers(session: &Session) -> Result<Vec<LoadBalancer>, CloudError> {
    let mut all = of_today(session).await?;
    all.extend(of_before(session).await?);
    Ok(all)
}

async fn of_today(session: &Session) -> Result<Vec<LoadBalancer>, CloudError> {
    let mut pages = session.balancers.describe_load_balancers().page_size(PAGE).into_paginator().send();
    let mut found = Vec::new();
    loop {
        session.pace(Call::Balancing).await?;
        let Some(page) = pages.next().await else { break };
        found.extend(page.map_err(|error| from_sdk(&error))?.load_balancers.unwrap_or_default());
    }
    let mut all: Vec<LoadBalancer> = found.iter().map(today).collect::<Result<_, _>>()?;
    for some in all.chunks_mut(TAGS_PER_CALL) {
        session.pace(Call::Balancing).await?;
        let ids = some.iter().map(|it| it.id.clone()).collect();
        // Where one went since it was listed this is an error, and the next look is whole: without tags they would seem nobody's.
        let answer = session.balancers.describe_tags().set_resource_arns(Some(ids)).send().await.map_err(|error| from_sdk(&error))?;
        let mut tags: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for row in answer.tag_descriptions() {
            let pair = |tag: &v2::types::Tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or_default().to_owned()));
            tags.insert(row.resource_arn().unwrap_or_default().to_owned(), row.tags().iter().filter_map(pair).collect());
        }
        some.iter_mut().for_each(|it| it.tags = tags.remove(&it.id).unwrap_or_default());
    }
    Ok(all)
}

fn today(from: &v2::types::LoadBalancer) -> Result<LoadBalancer, CloudError> {
    let missing = || unreadable("a load balancer without an ARN, a name or a kind");
    Ok(LoadBalancer {
        id: from.load_balancer_arn().ok_or_else(missing)?.to_owned(),
        name: from.load_balancer_name().ok_or_else(missing)?.to_owned(),
        kind: match from.r#type().ok_or_else(missing)?.as_str() {
            "network" => BalancerKind::Network,
            "gateway" => BalancerKind::Gateway,
            _ => BalancerKind::Application,
        },
        active: from.state().and_then(|state| state.code()).is_some_and(|code| code.as_str() == "active"),
        created_at: from.created_time().and_then(timestamp),
        tags: BTreeMap::new(),
    })
}

async fn of_before(session: &Session) -> Result<Vec<LoadBalancer>, CloudError> {
    let mut pages = session.classic.describe_load_balancers().page_size(PAGE).into_paginator().send();
    let mut all = Vec::new();
    loop {
        session.pace(Call::Balancing).await?;
        let Some(page) = pages.next().await else { break };
        for found in page.map_err(|error| from_sdk(&error))?.load_balancer_descriptions.unwrap_or_default() {
            let name = found.load_balancer_name().ok_or_else(|| unreadable("a classic load balancer without a name"))?.to_owned();
            all.push(LoadBalancer {
                id: name.clone(),
                name,
                kind: BalancerKind::Classic,
                active: true,
                created_at: found.created_time().and_then(timestamp),
                tags: BTreeMap::new(),
            });
        }
    }
    for some in all.chunks_mut(TAGS_PER_CALL) {
        session.pace(Call::Balancing).await?;
        let names = some.iter().map(|it| it.name.clone()).collect();
        let answer = session.classic.describe_tags().set_load_balancer_names(Some(names)).send().await.map_err(|error| from_sdk(&error))?;
        let mut tags: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for row in answer.tag_descriptions() {
            let pair = |tag: &classic::types::Tag| (tag.key().to_owned(), tag.value().unwrap_or_default().to_owned());
            tags.insert(row.load_balancer_name().unwrap_or_default().to_owned(), row.tags().iter().map(pair).collect());
        }
        some.iter_mut().for_each(|it| it.tags = tags.remove(&it.id).unwrap_or_default());
    }
    Ok(all)
}

/// What is registered behind these.
pub(crate) async fn behind(session: &Session, balancers: &[LoadBalancer]) -> Result<BTreeMap<String, Behind>, CloudError> {
    let (mut today, mut before) = (Vec::new(), Vec::new());
    for it in balancers {
        match it.kind {
            BalancerKind::Application | BalancerKind::Network | BalancerKind::Gateway => today.push(it.id.as_str()),
            BalancerKind::Classic => before.push(it.name.as_str()),
        }
    }
    let mut known = BTreeMap::new();
    if !today.is_empty() {
        known.extend(behind_today(session, &today).await?);
    }
    if !before.is_empty() {
        known.extend(behind_before(session, &before).await?);
    }
    Ok(known)
}

/// One list of target groups says which belong to whom; then each group is asked until one of a load balancer's has a target.
async fn behind_today(session: &Session, wanted: &[&str]) -> Result<BTreeMap<String, Behind>, CloudError> {
    let mut pages = session.balancers.describe_target_groups().page_size(PAGE).into_paginator().send();
    let mut known: BTreeMap<String, Behind> = wanted.iter().map(|id| ((*id).to_owned(), Behind::default())).collect();
    let mut groups: Vec<(String, String)> = Vec::new();
    loop {
        session.pace(Call::Balancing).await?;
        let Some(page) = pages.next().await else { break };
        for group in page.map_err(|error| from_sdk(&error))?.target_groups.unwrap_or_default() {
            let arn = group.target_group_arn().ok_or_else(|| unreadable("a target group without an ARN"))?;
            for balancer in group.load_balancer_arns() {
                if let Some(behind) = known.get_mut(balancer) {
                    behind.groups += 1;
                    groups.push((balancer.clone(), arn.to_owned()));
                }
            }
        }
    }
    for (balancer, group) in groups {
        if known.get(&balancer).is_none_or(|behind| behind.any) {
            continue;
        }
        session.pace(Call::Balancing).await?;
        match session.balancers.describe_target_health().target_group_arn(group).send().await {
            Ok(answer) => {
                if let Some(behind) = known.get_mut(&balancer) {
                    behind.any = !answer.target_health_descriptions().is_empty();
                }
            }
            Err(error) if has_code(&error, "TargetGroupNotFound") => {}
            Err(error) => return Err(from_sdk(&error)),
        }
    }
    Ok(known)
}

async fn behind_before(session: &Session, names: &[&str]) -> Result<BTreeMap<String, Behind>, CloudError> {
    let mut known = BTreeMap::new();
    for some in names.chunks(TAGS_PER_CALL) {
        let wanted = some.iter().map(|name| (*name).to_owned()).collect();
        let mut pages = session.classic.describe_load_balancers().set_load_balancer_names(Some(wanted)).into_paginator().send();
        loop {
            session.pace(Call::Balancing).await?;
            let Some(page) = pages.next().await else { break };
            for found in page.map_err(|error| from_sdk(&error))?.load_balancer_descriptions() {
                let any = !found.instances().is_empty();
                known.insert(found.load_balancer_name().unwrap_or_default().to_owned(), Behind { groups: 0, any });
            }
        }
    }
    Ok(known)
}
