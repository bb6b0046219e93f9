//! The Query protocol: a form of flat names such as `Filter.1.Value.2`.

use std::collections::BTreeMap;

/// Parameters of one call.
#[derive(Debug, Default)]
pub(crate) struct Params(BTreeMap<String, String>);

/// A filter of a describe call: a name and the values of which one must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

impl Params {
    pub(crate) fn parse(body: &[u8]) -> Self {
        Self(form_urlencoded::parse(body).into_owned().collect())
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// A value that may be empty or missing; an empty one is missing.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.get(name).filter(|v| !v.is_empty()).map(ToOwned::to_owned)
    }

    /// `name.1`, `name.2` and so on, up to the first gap.
    pub(crate) fn list(&self, name: &str) -> Vec<String> {
        (1..).map_while(|n| self.text(&format!("{name}.{n}"))).collect()
    }

    /// `Filter.n.Name` with `Filter.n.Value.m`.
    pub(crate) fn filters(&self) -> Vec<Filter> {
        (1..)
            .map_while(|n| {
                let name = self.text(&format!("Filter.{n}.Name"))?;
                Some(Filter { name, values: self.list(&format!("Filter.{n}.Value")) })
            })
            .collect()
    }

    /// Tags asked for this kind of resource.
    pub(crate) fn tags(&self, kind: &str) -> Vec<(String, String)> {
        let specifications = (1..).map_while(|n| {
            let prefix = format!("TagSpecification.{n}");
            Some((self.text(&format!("{prefix}.ResourceType"))?, prefix))
        });
        specifications.filter(|(of, _)| of == kind).flat_map(|(_, prefix)| self.pairs(&format!("{prefix}.Tag"))).collect()
    }

    fn pairs(&self, prefix: &str) -> Vec<(String, String)> {
        (1..)
            .map_while(|n| {
                let key = self.text(&format!("{prefix}.{n}.Key"))?;
                Some((key, self.get(&format!("{prefix}.{n}.Value")).unwrap_or_default().to_owned()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_filters_and_tags_are_read_up_to_the_first_gap() {
        let body = "Action=X&Filter.1.Name=instance-id&Filter.1.Value.1=i-1&Filter.1.Value.2=i-2&InstanceId.1=a&InstanceId.3=c\
            &TagSpecification.1.ResourceType=volume&TagSpecification.1.Tag.1.Key=Name&TagSpecification.1.Tag.1.Value=v\
            &TagSpecification.2.ResourceType=instance&TagSpecification.2.Tag.1.Key=a%2Fb&TagSpecification.2.Tag.1.Value=";
        let params = Params::parse(body.as_bytes());
        assert_eq!(params.list("InstanceId"), ["a"]);
        assert_eq!(params.filters(), [Filter { name: "instance-id".to_owned(), values: vec!["i-1".to_owned(), "i-2".to_owned()] }]);
        assert_eq!(params.tags("instance"), [("a/b".to_owned(), String::new())]);
    }
}
