use super::page_path;

#[test]
fn a_page_is_bounded_and_begins_where_the_last_one_ended() {
    assert_eq!(page_path("/api/v1/pods", 500, None, ""), "/api/v1/pods?limit=500");
    assert_eq!(
        page_path("/api/v1/pods", 500, Some("spec.nodeName=ip-1"), "ab+c="),
        "/api/v1/pods?limit=500&fieldSelector=spec.nodeName%3Dip-1&continue=ab%2Bc%3D"
    );
}
