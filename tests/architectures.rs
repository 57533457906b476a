//! Architectures as people paste them, with the sizes that an independent program counted: a table beside the project, for
//! those who have it.

use cellwright::cost;
use cellwright::device::skipped;
use cellwright::run::architecture;
use cellwright::space::NetworkSettings;
use std::path::Path;

#[test]
fn pasted_architectures_have_the_sizes_that_were_counted_elsewhere() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/formats/architectures.tsv");
    let Ok(table) = std::fs::read_to_string(&path) else {
        return skipped(&format!("pasted architectures: {} is not there", path.display()));
    };
    let mut counted = 0;
    for row in table.lines().skip(1) {
        let columns: Vec<&str> = row.split('\t').collect();
        let &[name, _, parameters, with_head, _, text] = &columns[..] else { panic!("{row}") };
        let given = architecture::read(text).unwrap();
        let space = given.space.build().unwrap();
        let size = |auxiliary| {
            let settings = NetworkSettings { channels: 36, layers: 20, auxiliary, ..NetworkSettings::default() };
            space.decode_text(&given.text, &settings).map(|graph| cost::parameters(&graph).unwrap())
        };
        if let (Ok(parameters), Ok(with_head)) = (parameters.parse::<u64>(), with_head.parse::<u64>()) {
            assert_eq!((size(false).unwrap(), size(true).unwrap()), (parameters, with_head), "{name}");
            counted += 1;
        } else if let Some(said) = match name {
            "DARTS_V2_RNN" => Some("a recurrent network, for text"),
            "NB201_tuple" => Some("naslib:"),
            _ => None,
        } {
            let error = size(false).unwrap_err().to_string();
            assert!(error.contains(said), "{name}: {error}");
        } else {
            assert!(size(false).is_ok(), "{name}: {:?}", size(false));
        }
    }
    assert!(counted > 20, "{counted}");
}
