//! What every decision server must do, whoever wrote it: run against an address and a key.

use domain::decision::verify::{self, Reference};
use domain::decision::{DecisionAnswer, DecisionRequest, DecisionType};
use domain::ports::Advisor;
use gate::Gate;
use planning::public_data::Catalogue;
use runtime::advisor::HttpAdvisor;
use runtime::http::{Answer, Client, Limits, Server};
use secrecy::{ExposeSecret, SecretString};

pub mod answers;
pub mod clusters;
pub mod refusals;
pub mod size;

/// The kinds of decision.
pub const KINDS: [DecisionType; 3] = [DecisionType::SpotOptimize, DecisionType::BinPack, DecisionType::Rightsize];

/// A decision server.
pub struct Target {
    /// Where it answers.
    pub url: String,
    /// The key that it accepts.
    pub key: SecretString,
}

impl Target {
    /// The adapter to it, with time enough for a build without optimisation on a busy machine.
    pub fn advisor(&self) -> HttpAdvisor {
        HttpAdvisor::new(&self.url, &self.key, limits(), &Gate::this_machine()).unwrap()
    }

    /// Sends a request as it is, without a key of its own.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let client = Client::new(Server::parse(&self.url).unwrap(), limits(), &Gate::this_machine()).unwrap();
        let request = http::Request::builder().method(method).uri(path);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        client.send(request.body(body).unwrap()).await.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Posts a body with the key.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let key = [("x-api-key", self.key.expose_secret())];
        self.send("POST", path, &[&key, headers].concat(), body).await
    }

    /// Asks through the adapter.
    pub async fn decide(&self, request: &DecisionRequest) -> DecisionAnswer {
        self.advisor().decide(request).await.unwrap_or_else(|error| panic!("{:?}: {error}", request.decision_type))
    }
}

fn limits() -> Limits {
    Limits { whole_s: 300, ..Limits::default() }
}

/// The path of a kind of decision.
pub fn path(kind: DecisionType) -> String {
    format!("/api/v1/ml/decision/{}", kind.path())
}

/// Holds an answer against the public data, as the core does. Tells what is wrong.
pub fn believed(request: &DecisionRequest, answer: DecisionAnswer) -> Result<(), String> {
    let catalogue = Catalogue::embedded();
    let known = Reference { type_of: &|name| catalogue.get(name).cloned(), on_demand: &|region, name| catalogue.on_demand(region, name) };
    verify::answer(request, answer, known).map(drop).map_err(|refusals| format!("{refusals:#?}"))
}

/// The whole contract.
pub async fn keeps_the_contract(target: &Target) {
    refusals::health_and_the_document_are_open(target).await;
    refusals::every_other_route_wants_the_key(target).await;
    refusals::what_cannot_be_read_is_refused(target).await;
    refusals::what_contradicts_itself_is_refused(target).await;
    refusals::a_bomb_is_refused(target).await;
    answers::every_kind_of_decision_can_be_believed(target).await;
    answers::the_same_question_has_the_same_answer(target).await;
    answers::what_is_to_be_left_alone_is_left_alone(target).await;
    answers::chances_are_of_the_pools_asked_for(target).await;
    answers::packed_and_plain_are_the_same(target).await;
    answers::outcomes_are_kept_once_and_judged(target).await;
}
