//! Answers and errors in the forms of each protocol.

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use serde_json::{Value, json};

/// An answer.
pub(crate) type Answer = Response<Body>;

/// Something went wrong, in AWS's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl Fault {
    /// The caller is wrong.
    pub(crate) fn client(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: 400, code, message: message.into() }
    }

    /// With another status.
    pub(crate) fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }
}

/// XML, built up.
#[derive(Debug, Default)]
pub(crate) struct Xml(String);

impl Xml {
    /// An element with a text.
    pub(crate) fn text(&mut self, name: &str, text: impl AsRef<str>) -> &mut Self {
        self.0.push_str(&format!("<{name}>{}</{name}>", escape(text.as_ref())));
        self
    }

    /// An element with a text, where there is one.
    pub(crate) fn maybe(&mut self, name: &str, text: Option<impl AsRef<str>>) -> &mut Self {
        if let Some(text) = text {
            self.text(name, text);
        }
        self
    }

    /// An element with elements.
    pub(crate) fn nest(&mut self, name: &str, inside: impl FnOnce(&mut Xml)) -> &mut Self {
        self.0.push_str(&format!("<{name}>"));
        inside(self);
        self.0.push_str(&format!("</{name}>"));
        self
    }

    /// A list of EC2: an element with an `item` for each.
    pub(crate) fn items<T>(&mut self, name: &str, all: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Xml, T)) -> &mut Self {
        self.nest(name, |xml| {
            for one in all {
                xml.nest("item", |xml| each(xml, one));
            }
        })
    }

    /// A list of the other services with Query: an element with a `member` for each.
    pub(crate) fn members<T>(&mut self, name: &str, all: impl IntoIterator<Item = T>, mut each: impl FnMut(&mut Xml, T)) -> &mut Self {
        self.nest(name, |xml| {
            for one in all {
                xml.nest("member", |xml| each(xml, one));
            }
        })
    }

    /// A text without an element around it.
    pub(crate) fn plain(&mut self, text: &str) -> &mut Self {
        self.0.push_str(&escape(text));
        self
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// An answer of EC2.
pub(crate) fn ec2(action: &str, request: &str, body: &Xml) -> Answer {
    let namespace = "http://ec2.amazonaws.com/doc/2016-11-15/";
    xml(200, format!("<{action}Response xmlns=\"{namespace}\"><requestId>{request}</requestId>{}</{action}Response>", body.0))
}

/// An answer of the other services with Query: Auto Scaling and STS.
pub(crate) fn query(action: &str, namespace: &str, request: &str, body: &Xml) -> Answer {
    let metadata = format!("<ResponseMetadata><RequestId>{request}</RequestId></ResponseMetadata>");
    let result = format!("<{action}Result>{}</{action}Result>", body.0);
    xml(200, format!("<{action}Response xmlns=\"{namespace}\">{result}{metadata}</{action}Response>"))
}

/// An error of EC2.
pub(crate) fn ec2_fault(request: &str, fault: &Fault) -> Answer {
    let error = format!("<Error><Code>{}</Code><Message>{}</Message></Error>", fault.code, escape(&fault.message));
    xml(fault.status, format!("<Response><Errors>{error}</Errors><RequestID>{request}</RequestID></Response>"))
}

/// An error of the other services with Query.
pub(crate) fn query_fault(request: &str, fault: &Fault) -> Answer {
    let who = if fault.status < 500 { "Sender" } else { "Receiver" };
    let error = format!("<Type>{who}</Type><Code>{}</Code><Message>{}</Message>", fault.code, escape(&fault.message));
    xml(fault.status, format!("<ErrorResponse><Error>{error}</Error><RequestId>{request}</RequestId></ErrorResponse>"))
}

/// An answer of a service with JSON.
pub(crate) fn json_ok(request: &str, version: &str, body: &Value) -> Answer {
    json_answer(200, request, version, body, None)
}

/// An error of a service with JSON.
pub(crate) fn json_fault(request: &str, version: &str, namespace: &str, fault: &Fault) -> Answer {
    let body = json!({ "__type": format!("{namespace}#{}", fault.code), "message": fault.message });
    json_answer(fault.status, request, version, &body, Some(fault.code))
}

fn json_answer(status: u16, request: &str, version: &str, body: &Value, error: Option<&str>) -> Answer {
    let mut answer = plain(status, body.to_string());
    let headers = answer.headers_mut();
    let kind = format!("application/x-amz-json-{version}");
    for (name, text) in [("content-type", kind.as_str()), ("x-amzn-requestid", request), ("x-amzn-errortype", error.unwrap_or_default())] {
        if let (false, Ok(value)) = (text.is_empty(), header::HeaderValue::from_str(text)) {
            headers.insert(header::HeaderName::from_static(name), value);
        }
    }
    answer
}

fn xml(status: u16, body: String) -> Answer {
    let mut answer = plain(status, format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}"));
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/xml;charset=UTF-8"));
    answer
}

/// An answer with a body only.
pub(crate) fn plain(status: u16, body: String) -> Answer {
    let mut answer = Response::new(Body::from(body));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer
}
