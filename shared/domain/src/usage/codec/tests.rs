use super::*;

fn usage() -> Usage {
    Usage {
        cpu: Decayed { reference_s: Some(1_700_006_400), weights: vec![(3, 0.1), (4, 12.5), (90, 1e-3)] },
        memory: Decayed { reference_s: Some(1_700_006_400), weights: vec![(20, 1.0)] },
        cpu_days: vec![
            Day { date: 19_675, samples: 288, peak: 130, counts: vec![(3, 280), (4, 8)] },
            Day { date: 19_676, samples: 3, peak: 140, counts: vec![(4, 3)] },
        ],
        memory_days: vec![Day { date: 19_676, samples: 3, peak: 1 << 30, counts: vec![(20, 3)] }],
        first_cpu_s: Some(1_700_000_000),
        last_cpu_s: Some(1_700_006_000),
        cpu_samples: 291,
        rounds: 291,
        last_memory_s: Some(-5),
        window_end_s: None,
        memory_peak: 7,
        oom_peak: 0,
        ooms: vec![u64::MAX, 1],
        raises_s: vec![1_700_000_001],
        floor_bytes: 1 << 40,
        floor_until_s: 1_702_000_000,
        resized_s: Some(0),
    }
}

#[test]
fn what_was_written_is_read_and_writing_it_again_changes_nothing() {
    let bytes = usage().encode();
    let read = Usage::decode(&bytes).unwrap();
    for (was, is) in usage().cpu.weights.iter().zip(&read.cpu.weights) {
        assert_eq!(was.0, is.0);
        assert!((was.1 / is.1 - 1.0).abs() < 2e-4, "{was:?} {is:?}");
    }
    assert_eq!(Usage { cpu: read.cpu.clone(), ..usage() }, read);
    let again = Usage::decode(&read.encode()).unwrap();
    assert_eq!(again.encode(), read.encode());
    assert_eq!(Usage::decode(&Usage::default().encode()).unwrap(), Usage::default());
}

/// Every bucket of every histogram of every day holds something: more than any container can ever show.
fn crowded() -> Usage {
    let counts = |day: u32| (0..176_u8).map(|bucket| (bucket, 1 + (u32::from(bucket) * 7_919 + day * 104_729) % 9_000)).collect();
    let days: Vec<Day> =
        (0..8).map(|day| Day { date: 20_000 + i64::from(day), samples: 1 << 40, peak: u64::MAX, counts: counts(day) }).collect();
    let weights: Weights = (0..176_u8).map(|bucket| (bucket, 1.0 + f64::from(bucket))).collect();
    let decayed = Decayed { reference_s: Some(i64::MIN), weights };
    Usage {
        cpu: decayed.clone(),
        memory: decayed,
        cpu_days: days.clone(),
        memory_days: days,
        ooms: vec![u64::MAX; OOMS_KEPT],
        raises_s: vec![i64::MAX; RAISES_KEPT],
        cpu_samples: u64::MAX,
        memory_peak: u64::MAX,
        floor_bytes: u64::MAX,
        ..usage()
    }
}

#[test]
fn whatever_was_measured_it_stays_below_its_bound() {
    let bytes = crowded().encode();
    assert!(bytes.len() <= ENCODED_MAX, "{}", bytes.len());
    let read = Usage::decode(&bytes).unwrap();
    assert_eq!((read.cpu_days.len(), read.cpu.weights.len()), (8, 176));
    assert_eq!(read.cpu_days.last().unwrap().counts, crowded().cpu_days.last().unwrap().counts, "today is exact");
}

#[test]
fn a_share_is_off_by_half_of_one_at_most_wherever_the_sum_is_taken() {
    let counts: Vec<(u8, u32)> = (0..176_u8).map(|bucket| (bucket, u32::from(bucket % 5) * 13 + 1)).collect();
    let total: u32 = counts.iter().map(|(_, count)| count).sum();
    let rounded = round(&counts, 1_000);
    for upto in 0..176_u8 {
        let share = |of: &[(u8, u32)]| f64::from(of.iter().filter(|(bucket, _)| *bucket <= upto).map(|(_, count)| count).sum::<u32>());
        assert!((share(&counts) / f64::from(total) * 1_000.0 - share(&rounded)).abs() <= 0.51, "bucket {upto}");
    }
    assert_eq!(round(&rounded, 1_000), rounded);
}

#[test]
fn broken_bytes_are_refused_and_never_panic() {
    let bytes = usage().encode();
    for end in 0..bytes.len() {
        assert!(Usage::decode(&bytes[..end]).is_err(), "cut at {end}");
    }
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..5_000 {
        let mut bytes = bytes.clone();
        let at = random.usize(..bytes.len());
        bytes[at] ^= 1 << random.u8(..8);
        if let Ok(read) = Usage::decode(&bytes) {
            assert!(read.cpu_days.len() <= DAYS_KEPT);
        }
    }
    assert!(Usage::decode(&[&bytes[..], &[0]].concat()).is_err());
    // The least of all exponents has no opposite.
    for exponent in [i64::from(i32::MIN), i64::MIN, i64::MAX] {
        let mut bytes = vec![1, 0];
        put_int(&mut bytes, exponent);
        assert_eq!(Usage::decode(&bytes), Err(BadUsage("an exponent is too large")), "{exponent}");
    }
}
