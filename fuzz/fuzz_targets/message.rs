#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let target = decoders::TARGETS.iter().find(|target| target.name == "message");
    (target.expect("the table has it").run)(bytes);
});
