//! Elastic Load Balancing, both generations: what there is, its tags, and what is registered behind it.

use super::Server;
use super::answer::{Fault, Xml};
use super::query::Params;
use super::sts::Signer;
use super::{dry, ec2};
use domain::ports::estate::{BalancerKind, Behind, LoadBalancer};
use std::collections::BTreeMap;

/// How many load balancers one DescribeTags takes.
const TAGS_PER_CALL: usize = 20;

/// Which generation is spoken to, by the version of its API. `None`: neither.
fn generation(params: &Params) -> Option<Generation> {
    match params.get("Version") {
        Some("2015-12-01") => Some(Generation::Today),
        Some("2012-06-01") => Some(Generation::Classic),
        _ => None,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Generation {
    Today,
    Classic,
}

/// The namespace of its answers.
pub(super) fn namespace(params: &Params) -> Option<&'static str> {
    Some(match generation(params)? {
        Generation::Today => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
        Generation::Classic => "http://elasticloadbalancing.amazonaws.com/doc/2012-06-01/",
    })
}

/// A load balancer with what is behind it.
type Row = (LoadBalancer, Behind);

pub(super) async fn call(server: &Server, action: &str, params: &Params, signer: Option<&Signer>) -> Result<Xml, Fault> {
    ec2::allowed(server, "elasticloadbalancing", action, params, signer)?;
    let scope = ec2::scope(server, signer)?;
    dry::granted(server, &scope, "elasticloadbalancing", action)?;
    let generation = generation(params).ok_or_else(|| Fault::client("InvalidAction", "no such version"))?;
    let all = server.cloud.load_balancers(&scope).await.map_err(ec2::fault)?;
    let mut behind = server.cloud.behind(&scope, &all).await.map_err(ec2::fault)?;
    let ours = |it: &LoadBalancer| (it.kind == BalancerKind::Classic) == (generation == Generation::Classic);
    let rows: Vec<Row> = all.into_iter().filter(ours).map(|it| (it.clone(), behind.remove(&it.id).unwrap_or_default())).collect();
    match (action, generation) {
        ("DescribeLoadBalancers", Generation::Today) => today(server, params, rows),
        ("DescribeLoadBalancers", Generation::Classic) => classic(server, params, rows),
        ("DescribeTags", Generation::Today) => tags(&params.list("ResourceArns.member"), "ResourceArn", &rows),
        ("DescribeTags", Generation::Classic) => tags(&params.list("LoadBalancerNames.member"), "LoadBalancerName", &rows),
        ("DescribeTargetGroups", Generation::Today) => groups(server, params, &rows),
        ("DescribeTargetHealth", Generation::Today) => health(params, &rows),
        (other, _) => Err(Fault::client("InvalidAction", format!("Could not find operation {other}"))),
    }
}

/// One page, and the marker of the next.
fn page<T>(server: &Server, params: &Params, all: Vec<T>) -> Result<(Vec<T>, Option<String>), Fault> {
    let number = |name: &str, or: usize| match params.text(name) {
        Some(text) => text.parse::<usize>().map_err(|_| Fault::client("ValidationError", format!("{name} is no number"))),
        None => Ok(or),
    };
    let (from, most) = (number("Marker", 0)?, number("PageSize", 400)?);
    if !(1..=400).contains(&most) {
        return Err(Fault::client("ValidationError", "PageSize is from 1 to 400"));
    }
    let most = most.min(server.page_max);
    let next = (all.len() > from + most).then(|| (from + most).to_string());
    Ok((all.into_iter().skip(from).take(most).collect(), next))
}

fn today(server: &Server, params: &Params, rows: Vec<Row>) -> Result<Xml, Fault> {
    let (page, next) = page(server, params, rows)?;
    let mut xml = Xml::default();
    xml.members("LoadBalancers", page, |xml, (it, _)| {
        let kind = match it.kind {
            BalancerKind::Application | BalancerKind::Classic => "application",
            BalancerKind::Network => "network",
            BalancerKind::Gateway => "gateway",
        };
        xml.text("LoadBalancerArn", &it.id).text("LoadBalancerName", &it.name).text("Type", kind);
        xml.maybe("CreatedTime", it.created_at.map(|at| at.to_string()));
        xml.nest("State", |xml| {
            xml.text("Code", if it.active { "active" } else { "provisioning" });
        });
    });
    xml.maybe("NextMarker", next);
    Ok(xml)
}

fn classic(server: &Server, params: &Params, mut rows: Vec<Row>) -> Result<Xml, Fault> {
    let names = params.list("LoadBalancerNames.member");
    if let Some(unknown) = names.iter().find(|name| rows.iter().all(|(it, _)| it.name != **name)) {
        return Err(Fault::client("LoadBalancerNotFound", format!("There is no ACTIVE Load Balancer named '{unknown}'")));
    }
    rows.retain(|(it, _)| names.is_empty() || names.contains(&it.name));
    let (page, next) = page(server, params, rows)?;
    let mut xml = Xml::default();
    xml.members("LoadBalancerDescriptions", page, |xml, (it, behind)| {
        xml.text("LoadBalancerName", &it.name).maybe("CreatedTime", it.created_at.map(|at| at.to_string()));
        xml.members("Instances", behind.any.then_some("i-0123456789abcdef0"), |xml, id| {
            xml.text("InstanceId", id);
        });
    });
    xml.maybe("NextMarker", next);
    Ok(xml)
}

fn tags(asked: &[String], id: &str, rows: &[Row]) -> Result<Xml, Fault> {
    if asked.len() > TAGS_PER_CALL {
        return Err(Fault::client("ValidationError", "no more than 20 at a time"));
    }
    let known: BTreeMap<&str, &LoadBalancer> = rows.iter().map(|(it, _)| (it.id.as_str(), it)).collect();
    let mut xml = Xml::default();
    let mut found = Vec::new();
    for name in asked {
        let it = known.get(name.as_str()).ok_or_else(|| Fault::client("LoadBalancerNotFound", format!("'{name}' not found")))?;
        found.push((name, &it.tags));
    }
    xml.members("TagDescriptions", found, |xml, (name, tags)| {
        xml.text(id, name).members("Tags", tags, |xml, (key, value)| {
            xml.text("Key", key).text("Value", value);
        });
    });
    Ok(xml)
}

/// The target groups of a load balancer, and whether one has a target: the last, so that whoever asks only the first is wrong.
fn groups_of((it, behind): &Row) -> impl Iterator<Item = (String, &str, bool)> {
    let group = |n: u32| (format!("{}/group-{n}", it.id), it.id.as_str(), behind.any && n + 1 == behind.groups);
    (0..behind.groups).map(group)
}

fn groups(server: &Server, params: &Params, rows: &[Row]) -> Result<Xml, Fault> {
    let (page, next) = page(server, params, rows.iter().flat_map(groups_of).collect())?;
    let mut xml = Xml::default();
    xml.members("TargetGroups", page, |xml, (arn, balancer, _)| {
        xml.text("TargetGroupArn", arn).members("LoadBalancerArns", [balancer], |xml, balancer| {
            xml.plain(balancer);
        });
    });
    xml.maybe("NextMarker", next);
    Ok(xml)
}

fn health(params: &Params, rows: &[Row]) -> Result<Xml, Fault> {
    let wanted = params.text("TargetGroupArn").unwrap_or_default();
    let found = rows.iter().flat_map(groups_of).find(|(arn, ..)| *arn == wanted);
    let (_, _, any) = found.ok_or_else(|| Fault::client("TargetGroupNotFound", format!("'{wanted}' not found")))?;
    let mut xml = Xml::default();
    xml.members("TargetHealthDescriptions", any.then_some("10.0.0.1"), |xml, target| {
        xml.nest("Target", |xml| {
            xml.text("Id", target);
        });
        // What is unhealthy is registered all the same.
        xml.nest("TargetHealth", |xml| {
            xml.text("State", "unhealthy");
        });
    });
    Ok(xml)
}
