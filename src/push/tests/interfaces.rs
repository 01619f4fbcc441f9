//! Which interface of the receiver takes a report.

use super::*;

#[rstest]
#[case::newest(&[V2], None, &[V2], true)]
#[case::anchore_4(&[V1, OLD], Some(json!({"service": {"version": "4.9.0"}})), &[V2, V1], true)]
#[case::before_4(&[OLD], Some(json!({"service": {"version": "4.0.0"}})), &[V2, V1, OLD], true)]
#[case::version_2_is_believed(&[V1, OLD], Some(json!({"api": {"version": "2"}})), &[V2], false)]
#[case::version_is_not_known(&[OLD], None, &[V2, V1, OLD], true)]
#[case::none_of_them(&[], None, &[V2, V1, OLD], false)]
#[tokio::test(start_paused = true)]
async fn the_interface_that_is_there_is_found(
    #[case] there: &'static [&'static str],
    #[case] version: Option<Value>,
    #[case] expected: &[&str],
    #[case] is_delivered: bool,
) {
    let receiver =
        Scripted::new(
            |posted| {
                if there.contains(&posted.path.as_str()) { taken() } else { Err(refused(404, "no such path")) }
            },
        );
    let receiver = receiver.version(move || version.clone().map_or_else(|| Err(refused(403, "")), answers));
    let snapshot = Cluster::new().read(&[("shop", None)], Vec::new());
    assert_eq!(push(&receiver, settings(&[]), &snapshot).await.is_ok(), is_delivered);
    assert_eq!(receiver.paths(), expected);
}

#[tokio::test(start_paused = true)]
async fn what_worked_is_used_until_it_is_gone() {
    let there = Arc::new(Mutex::new(OLD));
    let now = Arc::clone(&there);
    let receiver =
        Scripted::new(move |posted| if posted.path == *now.lock().unwrap() { taken() } else { Err(refused(404, "")) });
    let pusher = pusher(&receiver, settings(&[]), &PushBoard::default());
    let snapshot = Cluster::new().read(&[("shop", None)], Vec::new());
    pusher.push_once(&snapshot).await.unwrap();
    pusher.push_once(&snapshot).await.unwrap();
    assert_eq!(receiver.paths(), [V2, V1, OLD, OLD]);
    *there.lock().unwrap() = V2;
    pusher.push_once(&snapshot).await.unwrap();
    assert_eq!(receiver.paths()[4..], [OLD, V2]);
}
