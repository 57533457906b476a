use super::*;

fn sample() -> State {
    let mut inner = State::of("optimiser");
    inner.put("velocity", Element::F32, &[2, 2], [1.5f32, -0.0, f32::NAN, 1e-42].map(f32::to_bits).to_vec()).unwrap();
    inner.put("nothing", Element::F32, &[2, 0], Vec::new()).unwrap();
    let mut middle = State::of("supernet");
    middle.set("counts", [u64::MAX, 0]).unwrap();
    middle.nest("sgd", inner);
    let mut state = State::of("search");
    state.set("taken", 7).unwrap();
    // Digits that a careless reader of decimal numbers gets wrong.
    state.set("sum", [0.1 + 0.2, 5e-324, 1.797_693_134_862_315_7e308, 9.007_199_254_740_993e15]).unwrap();
    state.put("order", Element::U32, &[3], vec![2, 0, u32::MAX]).unwrap();
    state.nest("supernet", middle);
    state
}

/// Equal, those numbers too that equal nothing.
fn same(a: &State, b: &State) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

#[test]
fn a_state_comes_back_from_its_bytes_word_for_word() {
    let state = sample();
    let bytes = state.to_bytes().unwrap();
    let again = State::from_bytes(&bytes).unwrap();
    assert!(same(&state, &again), "{state:?}\n{again:?}");
    let sums: Vec<f64> = again.get("sum").unwrap();
    assert_eq!(sums, [0.1 + 0.2, 5e-324, 1.797_693_134_862_315_7e308, 9.007_199_254_740_993e15]);
    assert_eq!(again.to_bytes().unwrap(), bytes);
    assert!((0..20).all(|_| sample().to_bytes().unwrap() == bytes), "the same state has other bytes");
}

#[test]
fn what_does_not_fit_is_named_with_the_parts_it_lies_in() {
    let state = sample();
    let sgd = state.part("supernet").unwrap().part("sgd").unwrap();
    let message = |error: StateError| error.to_string();
    assert_eq!(message(sgd.get::<u32>("step").unwrap_err()), "the saved state has no `supernet/sgd/step`");
    assert_eq!(
        message(sgd.words("velocity", Element::F32, &[4]).unwrap_err()),
        "`supernet/sgd/velocity` of the saved state has shape [2, 2], not [4]: were the settings others?"
    );
    let kind = message(state.words("order", Element::F32, &[3]).unwrap_err());
    assert_eq!(kind, "`order` of the saved state cannot be used: it holds U32, not F32");
    let value = message(state.get::<String>("taken").unwrap_err());
    assert!(value.starts_with("`taken` of the saved state cannot be used: invalid type"), "{value}");
    assert_eq!(message(state.part("paths").unwrap_err()), "the saved state has no `paths`");
    assert_eq!(
        message(sgd.check("adam").unwrap_err()),
        "the saved state `supernet/sgd` is one of optimiser, not of adam"
    );
    assert_eq!(message(state.check("job").unwrap_err()), "the saved state is one of search, not of job");
    sgd.check("optimiser").unwrap();
}

#[test]
fn bytes_that_are_cut_or_lie_are_refused() {
    let bytes = sample().to_bytes().unwrap();
    for end in 0..bytes.len() {
        assert!(matches!(State::from_bytes(&bytes[..end]), Err(StateError::Format(_))), "{end} bytes");
    }
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let text = std::str::from_utf8(&bytes[8..8 + header]).unwrap();
    for (from, to) in [
        ("\"shape\":[2,2]", "\"shape\":[2,999999999999]"),
        ("supernet/sgd/velocity", "elsewhere/velocity"),
        ("\"dtype\":\"U32\"", "\"dtype\":\"I32\""),
        ("{\"state\":", "{\"other\":"),
        ("\\\"parts\\\"", "\\\"sects\\\""),
    ] {
        assert!(text.contains(from), "{from} is not in {text}");
        let lie = text.replace(from, to);
        let mut lying = (lie.len() as u64).to_le_bytes().to_vec();
        lying.extend_from_slice(lie.as_bytes());
        lying.extend_from_slice(&bytes[8 + header..]);
        assert!(matches!(State::from_bytes(&lying), Err(StateError::Format(_))), "{from} → {to}");
    }
}

#[test]
fn words_must_fill_their_shape_and_names_have_no_slashes() {
    let mut state = State::of("a");
    let error = state.put("w", Element::F32, &[3], vec![0; 2]).unwrap_err();
    assert!(matches!(error, StateError::Shape { .. }), "{error}");
    state.set("a/b", 1).unwrap();
    assert!(state.to_bytes().unwrap_err().to_string().contains("`a/b`"));
}

#[test]
fn tensors_keep_their_bits() {
    let device = Device::cpu();
    let tensor = Tensor::from_words(&device, &[0x7fc0_0001, 0x8000_0000, 3], &[3]).unwrap();
    let other = Tensor::zeros(&device, &[3]).unwrap();
    let mut state = State::of("a");
    pollster::block_on(state.keep("w", &device, &tensor)).unwrap();
    State::from_bytes(&state.to_bytes().unwrap()).unwrap().write("w", &device, &other).unwrap();
    assert_eq!(pollster::block_on(other.read_words(&device)).unwrap(), [0x7fc0_0001, 0x8000_0000, 3]);
    let error = state.write("w", &device, &Tensor::zeros(&device, &[2]).unwrap()).unwrap_err();
    assert!(matches!(error, StateError::Shape { .. }), "{error}");
}
