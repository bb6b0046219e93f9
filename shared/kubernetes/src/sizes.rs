//! Sizes of workloads: templates with their roll-outs, autoscalers, what containers use, and patches of requests and limits.

use crate::call::{Api, Call};
use crate::endpoint::segment;
use crate::lists::{Paging, all, every, pods};
use domain::pod::PodRef;
use domain::ports::{ClusterError, Sizer};
use domain::sizing::{AutoscalerView, ContainerSizes, InPlace, PodContainers, Resource, Sizes, WorkloadView};
use domain::usage::Sample;
use domain::workload::{WorkloadKind, WorkloadRef};
use http::{Method, StatusCode};
use serde_json::{Map, Value, json};

mod metrics;
mod templates;

use crate::connection::Connection;
use async_trait::async_trait;
use metrics::Metrics;
use templates::{Autoscaler, Workload};

const STRATEGIC: &str = "application/strategic-merge-patch+json";

#[async_trait]
impl Sizer for Connection {
    async fn workloads(&self) -> Result<Vec<WorkloadView>, ClusterError> {
        let deployments = all(&self.api, "/apis/apps/v1/deployments", |one: Workload| one.view(WorkloadKind::Deployment));
        let sets = all(&self.api, "/apis/apps/v1/statefulsets", |one: Workload| one.view(WorkloadKind::StatefulSet));
        let (mut found, sets) = futures::try_join!(deployments, sets)?;
        found.extend(sets);
        Ok(found)
    }

    async fn workload(&self, workload: &WorkloadRef) -> Result<WorkloadView, ClusterError> {
        let read: Workload = self.api.call(&Call::get(path(workload)?)).await?.decode()?;
        read.view(workload.kind).ok_or_else(|| ClusterError::Refused("a workload has no name".to_owned()))
    }

    async fn autoscalers(&self) -> Result<Vec<AutoscalerView>, ClusterError> {
        all(&self.api, "/apis/autoscaling/v2/horizontalpodautoscalers", Autoscaler::view).await
    }

    async fn containers(&self) -> Result<Vec<PodContainers>, ClusterError> {
        pods::containers(&self.api).await
    }

    async fn container_usage(&self) -> Result<Vec<Sample>, ClusterError> {
        let paging = Paging::new("/apis/metrics.k8s.io/v1beta1/pods", None).small();
        let samples = every(&self.api, paging, |metrics: Metrics| Some(metrics.samples())).await?;
        Ok(samples.into_iter().flatten().collect())
    }

    async fn patch_requests(&self, workload: &WorkloadRef, version: &str, sizes: &[ContainerSizes]) -> Result<(), ClusterError> {
        let body = json!({
            "metadata": {"resourceVersion": version},
            "spec": {"template": {"spec": {"containers": containers(sizes)}}},
        });
        self.api.call(&Call::with_json(Method::PATCH, path(workload)?, STRATEGIC, &body)).await?.ok().map(|_| ())
    }

    async fn resize_in_place(&self, pod: &PodRef, sizes: &[ContainerSizes]) -> Result<InPlace, ClusterError> {
        resize(&self.api, pod, sizes).await
    }
}

/// Through the resize subresource. Clusters before 1.33 do not have it, and a role may close it.
async fn resize(api: &Api, pod: &PodRef, sizes: &[ContainerSizes]) -> Result<InPlace, ClusterError> {
    let path = format!("/api/v1/namespaces/{}/pods/{}/resize", segment(&pod.namespace)?, segment(&pod.name)?);
    // The uid makes a namesake refuse it.
    let body = json!({"metadata": {"uid": pod.uid}, "spec": {"containers": containers(sizes)}});
    let answer = api.call(&Call::with_json(Method::PATCH, path, STRATEGIC, &body)).await?;
    match answer.status {
        // Without the subresource the page is not there; with it, the pod is not, and both mean that nothing is left to be done here.
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::FORBIDDEN => Ok(InPlace::Unsupported),
        StatusCode::CONFLICT => Ok(InPlace::Accepted),
        _ => answer.ok().map(|_| InPlace::Accepted),
    }
}

fn path(workload: &WorkloadRef) -> Result<String, ClusterError> {
    let resource = workload.kind.resource();
    Ok(format!("/apis/apps/v1/namespaces/{}/{resource}/{}", segment(&workload.namespace)?, segment(&workload.name)?))
}

/// Containers are merged by name, and a null takes a value away.
fn containers(sizes: &[ContainerSizes]) -> Value {
    let amounts = |sizes: &Sizes, of: fn(&Sizes, Resource) -> Option<u64>| {
        let each = [Resource::Cpu, Resource::Memory];
        let amount = |resource: Resource| of(sizes, resource).map_or(Value::Null, |amount| json!(resource.quantity(amount)));
        Value::Object(each.into_iter().map(|resource| (resource.as_str().to_owned(), amount(resource))).collect::<Map<String, Value>>())
    };
    let one = |one: &ContainerSizes| {
        let resources = json!({"requests": amounts(&one.sizes, Sizes::request), "limits": amounts(&one.sizes, Sizes::limit)});
        json!({"name": one.container, "resources": resources})
    };
    Value::Array(sizes.iter().map(one).collect())
}

#[cfg(test)]
mod tests;
