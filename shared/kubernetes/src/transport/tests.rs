use super::tls;

#[test]
fn without_an_authority_the_public_ones_are_trusted_or_their_absence_is_told() {
    match tls(None) {
        Ok(config) => assert!(config.alpn_protocols.is_empty(), "the connector fills them in"),
        Err(error) => assert!(error.to_string().contains("public certificate authorities"), "{error}"),
    }
}

#[test]
fn an_authority_that_is_no_pem_is_refused_and_not_ignored() {
    for text in ["", "rubbish", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "LS0tLS1CRUdJTg=="] {
        assert!(tls(Some(text)).is_err(), "{text:?}");
    }
}
