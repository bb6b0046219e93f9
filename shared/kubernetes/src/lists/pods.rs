//! Pods: handed on one by one while their page is decoded, so that no list of all pods is ever held.

use super::pages::{Paging, Turn};
use crate::call::Api;
use domain::ids::NodeName;
use domain::pod::{PodDetail, PodView};
use domain::ports::{ClusterError, PodSink};
use domain::sizing::PodContainers;
use slim::PageEnd;

const PATH: &str = "/api/v1/pods";

/// Every pod into the sink.
pub(crate) async fn in_detail(api: &Api, sink: &mut dyn PodSink) -> Result<(), ClusterError> {
    each(api, None, sink).await
}

/// Pods of one node, or all of them.
pub(crate) async fn views(api: &Api, on: Option<&NodeName>) -> Result<Vec<PodView>, ClusterError> {
    let mut views = Kept(Vec::new(), |pod| pod.view);
    each(api, on.map(|node| format!("spec.nodeName={node}")), &mut views).await?;
    Ok(views.0)
}

/// All pods with their containers.
pub(crate) async fn containers(api: &Api) -> Result<Vec<PodContainers>, ClusterError> {
    let mut found = Kept(Vec::new(), |mut pod| PodContainers::take(&mut pod));
    each(api, None, &mut found).await?;
    Ok(found.0)
}

/// What is kept of each pod.
struct Kept<T>(Vec<T>, fn(PodDetail) -> T);

impl<T: Send> PodSink for Kept<T> {
    fn pod(&mut self, pod: PodDetail) {
        self.0.push((self.1)(pod));
    }

    fn restart(&mut self) {
        self.0.clear();
    }
}

async fn each(api: &Api, fields: Option<String>, sink: &mut dyn PodSink) -> Result<(), ClusterError> {
    let mut paging = Paging::new(PATH, fields);
    while let Some(turn) = paging.turn(api).await? {
        match turn {
            Turn::Anew => sink.restart(),
            Turn::Page(answer) => {
                let read = read(&answer.body, sink)?;
                paging.went_on(read.next, read.left_out)?;
            }
        }
    }
    Ok(())
}

/// Decodes one page of pods, as the API server sends it, into the sink, and tells where the next page begins (empty: nowhere).
///
/// # Errors
/// [`ClusterError::Refused`]: the page cannot be read. The sink may have had a part of it by then.
pub fn decode_pods(page: &[u8], sink: &mut dyn PodSink) -> Result<String, ClusterError> {
    Ok(read(page, sink)?.next)
}

fn read(page: &[u8], sink: &mut dyn PodSink) -> Result<PageEnd, ClusterError> {
    slim::decode(page, sink).map_err(|error| ClusterError::Refused(format!("an answer cannot be read: {error}")))
}
