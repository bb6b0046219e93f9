use super::*;

#[test]
fn libraries_are_never_finer_than_warn_and_our_own_crates_are_as_asked() {
    let filter = filter(Level::DEBUG);
    for library in ["aws_smithy_runtime::client", "hyper_util::client", "h2::codec"] {
        assert!(!filter.would_enable(library, &Level::INFO), "{library}");
        assert!(filter.would_enable(library, &Level::WARN), "{library}");
    }
    for ours in ["aws::store", "kubernetes::call", "execution::drive"] {
        assert!(filter.would_enable(ours, &Level::DEBUG), "{ours}");
    }
}

#[test]
fn a_coarser_level_holds_for_libraries_too() {
    assert!(!filter(Level::ERROR).would_enable("hyper::proto", &Level::WARN));
}
