use super::*;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

const NOW: i64 = 1_800_000_000;

struct Signer {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
}

fn b64(bytes: &[u8]) -> String {
    BASE64URL_NOPAD.encode(bytes)
}

impl Signer {
    fn new() -> Signer {
        let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let made = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
        Signer {
            // Made for these tests, and secret to nobody: `openssl genpkey -algorithm RSA`, and `openssl pkcs8 -topk8 -nocrypt -outform DER`.
            rsa: RsaKeyPair::from_pkcs8(include_bytes!("rsa-for-tests.pk8")).unwrap(),
            ec: EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &random).unwrap(),
        }
    }

    /// A public key of 2048 bits in PKCS#1 is a head of nine bytes, the modulus, and 65,537.
    fn modulus(&self) -> Vec<u8> {
        let der = self.rsa.public_key().as_ref();
        assert_eq!((der.len(), &der[265..]), (270, &[2, 3, 1, 0, 1][..]));
        der[9..265].to_vec()
    }

    fn keys(&self) -> Keys {
        let point = self.ec.public_key().as_ref();
        let listed = json!({ "keys": [
            { "kty": "RSA", "kid": "r", "use": "sig", "alg": "RS256", "n": b64(&self.modulus()), "e": "AQAB" },
            { "kty": "EC", "kid": "e", "crv": "P-256", "x": b64(&point[1..33]), "y": b64(&point[33..]) },
            { "kty": "RSA", "kid": "sealing", "use": "enc", "n": b64(&self.modulus()), "e": "AQAB" },
            { "kty": "oct", "kid": "shared", "k": "c2VjcmV0" },
            { "kty": 7 },
        ] });
        Keys::parse(listed.to_string().as_bytes()).unwrap()
    }

    fn signed(&self, head: &Value, body: &str) -> String {
        let text = format!("{}.{}", b64(head.to_string().as_bytes()), b64(body.as_bytes()));
        let signature = if head["kid"] == "e" {
            self.ec.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec()
        } else {
            let mut signature = vec![0; self.rsa.public().modulus_len()];
            self.rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
            signature
        };
        format!("{text}.{}", b64(&signature))
    }
}

fn body() -> Value {
    json!({ "iss": "https://id.example.com/", "aud": "cloudoptim", "sub": "ann", "exp": NOW + 600, "iat": NOW,
            "cloudoptim_customer": "acme", "cloudoptim_role": "operator", "anything": "else" })
}

fn judged(signer: &Signer, token: &str) -> Result<Claims, &'static str> {
    let expected = Expected { issuer: "https://id.example.com/".to_owned(), audience: "cloudoptim".to_owned() };
    Unverified::read(token)?.judge(&signer.keys(), &expected, Timestamp::from_second(NOW).unwrap())
}

fn with(name: &str, value: Value) -> Value {
    let mut body = body();
    body[name] = value;
    body
}

fn without(name: &str) -> Value {
    let mut body = body();
    body.as_object_mut().unwrap().remove(name);
    body
}

#[test]
fn a_good_token_of_either_algorithm_says_who_calls() {
    let signer = Signer::new();
    let until = Timestamp::from_second(NOW + 600).unwrap();
    let wanted = Claims { subject: "ann".to_owned(), customer: "acme".to_owned(), role: Role::Operator, until };
    for head in [json!({ "alg": "RS256", "kid": "r", "typ": "JWT" }), json!({ "alg": "ES256", "kid": "e", "x5t": "print" })] {
        assert_eq!(judged(&signer, &signer.signed(&head, &body().to_string())), Ok(wanted.clone()), "{head}");
    }
    let many = with("aud", json!(["other", "cloudoptim"]));
    assert!(judged(&signer, &signer.signed(&json!({ "alg": "RS256", "kid": "r" }), &many.to_string())).is_ok());
}

#[test]
fn a_head_that_asks_for_anything_else_is_refused_before_a_key_is_looked_at() {
    let signer = Signer::new();
    let good = json!({ "alg": "RS256", "kid": "r" });
    let changes = [
        ("alg", json!("none")),
        ("alg", json!("None")),
        ("alg", json!("HS256")),
        ("alg", json!("HS512")),
        ("alg", json!("RS1")),
        ("alg", json!("PS256")),
        ("alg", json!(["RS256"])),
        ("alg", json!(null)),
        ("typ", json!("JWE")),
        ("kid", json!(7)),
        ("kid", json!(null)),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("x5c", json!(["MII"])),
        ("jwk", json!({ "kty": "RSA" })),
        ("crit", json!(["b64"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
    ];
    for (name, value) in changes {
        let mut head = good.clone();
        head[name] = value;
        assert!(Unverified::read(&signer.signed(&head, &body().to_string())).is_err(), "{head}");
    }
    for token in ["", ".", "..", "...", "a.b.c", "e30.e30.", "e30.e30.e30", "eyJhbGciOiJub25lIn0.e30.", "\u{e9}.\u{e9}.\u{e9}"] {
        assert!(judged(&signer, token).is_err(), "{token}");
    }
}

#[test]
fn a_public_key_is_never_taken_for_a_shared_secret_or_for_another_algorithm() {
    use hmac::{Hmac, Mac};
    let signer = Signer::new();
    let key = signer.rsa.public_key().as_ref().to_vec();
    // The form that `openssl` prints public keys in: a head that says "RSA", and the key.
    let head: &[u8] = b"\x30\x82\x01\x22\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00\x03\x82\x01\x0f\x00";
    for secret in [signer.modulus(), [head, &key].concat(), key, b"secret".to_vec()] {
        for head in
            [json!({ "alg": "HS256", "kid": "r" }), json!({ "alg": "RS256", "kid": "r" }), json!({ "alg": "HS256", "kid": "shared" })]
        {
            let text = format!("{}.{}", b64(head.to_string().as_bytes()), b64(body().to_string().as_bytes()));
            let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&secret).unwrap();
            mac.update(text.as_bytes());
            assert!(judged(&signer, &format!("{text}.{}", b64(&mac.finalize().into_bytes()))).is_err(), "{head}");
        }
    }
    // Signed well, but said to be of the other kind, or by a key that seals.
    for head in [json!({ "alg": "ES256", "kid": "r" }), json!({ "alg": "RS256", "kid": "e" }), json!({ "alg": "RS256", "kid": "sealing" })]
    {
        assert!(judged(&signer, &signer.signed(&head, &body().to_string())).is_err(), "{head}");
    }
    for kid in ["", "../../etc/passwd", "r' OR '1'='1", "R", "r\0"] {
        assert!(judged(&signer, &signer.signed(&json!({ "alg": "RS256", "kid": kid }), &body().to_string())).is_err(), "{kid:?}");
    }
}

#[test]
fn a_claim_that_is_missing_wrong_or_out_of_time_is_no_claim() {
    let signer = Signer::new();
    let mut bad: Vec<String> =
        ["iss", "aud", "sub", "exp", "cloudoptim_customer", "cloudoptim_role"].map(|name| without(name).to_string()).to_vec();
    let changes = [
        ("iss", json!("https://id.example.com")),
        ("iss", json!("https://evil.example/")),
        ("aud", json!("cloudoptim-staging")),
        ("aud", json!([])),
        ("aud", json!({ "0": "cloudoptim" })),
        ("exp", json!(NOW - 61)),
        ("exp", json!(-1)),
        ("exp", json!("never")),
        ("exp", json!((NOW + 600).to_string())),
        ("exp", json!(null)),
        ("exp", json!(NOW + 90_000)),
        ("nbf", json!(NOW + 61)),
        ("nbf", json!("now")),
        ("iat", json!(NOW + 61)),
        ("sub", json!("")),
        ("sub", json!("a\nb")),
        ("cloudoptim_role", json!("root")),
        ("cloudoptim_role", json!(["admin"])),
    ];
    bad.extend(changes.map(|(name, value)| with(name, value).to_string()));
    let text = body().to_string();
    bad.push(text.replace(&(NOW + 600).to_string(), "1e400"));
    bad.push(text.replace(&(NOW + 600).to_string(), "1800000600.5"));
    bad.push(text.replacen('{', "{\"exp\":1800000600,", 1));
    bad.push(text.replacen('{', "{\"cloudoptim_role\":\"admin\",", 1));
    bad.push(format!("[{text}]"));
    for body in bad {
        assert!(judged(&signer, &signer.signed(&json!({ "alg": "RS256", "kid": "r" }), &body)).is_err(), "{body}");
    }
    let late = with("exp", json!(NOW - 59));
    assert!(
        judged(&signer, &signer.signed(&json!({ "alg": "RS256", "kid": "r" }), &late.to_string())).is_ok(),
        "clocks may be a minute apart"
    );
}

#[test]
fn one_bit_that_was_turned_spoils_a_token() {
    let signer = Signer::new();
    for kid in ["r", "e"] {
        let alg = if kid == "r" { "RS256" } else { "ES256" };
        let token = signer.signed(&json!({ "alg": alg, "kid": kid }), &body().to_string());
        for at in (0..token.len()).step_by(7) {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            if bytes != token.as_bytes() {
                assert!(judged(&signer, std::str::from_utf8(&bytes).unwrap()).is_err(), "{kid} at {at}");
            }
        }
    }
}
