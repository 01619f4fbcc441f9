//! When the service sends: paused time, and a receiver that comes and goes.

use super::*;

/// The service at work, and the cluster that it reports.
struct Service {
    cluster: Cluster,
    writer: SnapshotWriter,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<Result<(), String>>,
}

impl Service {
    fn start(receiver: &Scripted, settings: AnchoreSettings) -> Self {
        let (writer, reader) = feed();
        let stop = CancellationToken::new();
        let pusher = pusher(receiver, settings, &PushBoard::default());
        let task = tokio::spawn(pusher.run(reader, stop.clone()));
        Self { cluster: Cluster::new(), writer, stop, task }
    }

    /// Publishes a snapshot and lets so much time pass.
    async fn poll(&mut self, namespaces: &[&str], pause: Duration) {
        let namespaces: Vec<_> = namespaces.iter().map(|name| (*name, None)).collect();
        let snapshot = self.cluster.read(&namespaces, Vec::new());
        self.writer.publish(snapshot);
        tokio::time::sleep(pause).await;
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn each_snapshot_is_sent_once_after_a_first_wait_within_the_interval() {
    let receiver = Scripted::new(|_| taken());
    let mut service = Service::start(&receiver, settings(&[]));
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(receiver.posts().is_empty(), "nothing was read yet");
    for namespaces in [&["a"][..], &["a", "b"], &["b"]] {
        service.poll(namespaces, INTERVAL).await;
    }
    // No poll: the same is not sent again.
    tokio::time::sleep(3 * INTERVAL).await;
    let sent: Vec<_> = receiver.posts().iter().map(|posted| namespaces_in(&posted.body)).collect();
    assert_eq!(sent, [names(&["a"]), names(&["a", "b"]), names(&["b"])]);
    service.end().await;
}

/// A poll that finds nothing new publishes nothing. What it saw is true now, and is sent as such.
#[tokio::test(start_paused = true)]
async fn what_is_seen_once_more_is_sent_again_with_the_time_of_that() {
    let receiver = Scripted::new(|_| taken());
    let mut service = Service::start(&receiver, settings(&[]));
    service.poll(&["a"], INTERVAL).await;
    for second in [4_000_000_000, 4_000_000_300] {
        service.writer.observed(jiff::Timestamp::from_second(second).unwrap());
        tokio::time::sleep(2 * INTERVAL).await;
    }
    let times: Vec<_> = receiver.posts().iter().map(|posted| posted.body["timestamp"].clone()).collect();
    assert_eq!(times.len(), 3, "once for each time: {times:?}");
    assert_eq!(times[1..], [json!("2096-10-02T07:06:40Z"), json!("2096-10-02T07:11:40Z")]);
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_was_down_gets_the_newest_alone() {
    let is_up = Arc::new(Mutex::new(false));
    let now = Arc::clone(&is_up);
    let receiver = Scripted::new(move |_| if *now.lock().unwrap() { taken() } else { Err(down()) });
    let mut service = Service::start(&receiver, settings(&[]));
    for namespaces in [&["a"][..], &["a", "b"], &["b", "c"]] {
        service.poll(namespaces, INTERVAL).await;
    }
    let before = receiver.posts().len();
    assert!((6..40).contains(&before), "tried again with growing waits: {before}");
    *is_up.lock().unwrap() = true;
    tokio::time::sleep(INTERVAL).await;
    let sent: Vec<_> = receiver.posts()[before..].iter().map(|posted| namespaces_in(&posted.body)).collect();
    assert_eq!(sent, [names(&["b", "c"])]);
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn on_change_only_what_changed_is_sent_once_it_rests() {
    let receiver = Scripted::new(|_| taken());
    let mut service =
        Service::start(&receiver, AnchoreSettings { push_when: PushWhen::Change, ..settings(&[("a", &["shop"])]) });
    service.poll(&["ops", "shop"], INTERVAL).await;
    assert_eq!(receiver.posts().len(), 2);
    service.poll(&["ops", "shop"], INTERVAL).await;
    assert_eq!(receiver.posts().len(), 2, "nothing has changed");
    service.poll(&["ops", "pay", "shop"], Duration::from_secs(4)).await;
    assert_eq!(receiver.posts().len(), 2, "more may change");
    tokio::time::sleep(Duration::from_secs(2)).await;
    let posts = receiver.posts();
    assert_eq!(posts[2..].iter().map(|posted| posted.account.as_str()).collect::<Vec<_>>(), ["admin"]);
    assert_eq!(namespaces_in(&posts[2].body), names(&["ops", "pay"]));
    service.end().await;
}

/// Labels and versions of nodes are sent, too.
#[tokio::test(start_paused = true)]
async fn on_change_a_node_that_changed_is_sent() {
    let receiver = Scripted::new(|_| taken());
    let mut service = Service::start(&receiver, AnchoreSettings { push_when: PushWhen::Change, ..settings(&[]) });
    let changes: [fn(&mut NodeRecord); 4] = [
        |_| {},
        |node| node.metadata.labels = [("zone".into(), "b".into())].into(),
        |node| node.metadata.annotations = [("owner".into(), "ops".into())].into(),
        |node| node.kubelet_version = "v1.37.3".into(),
    ];
    let mut node = NodeRecord { name: "node-1".into(), kubelet_version: "v1.37.2".into(), ..NodeRecord::default() };
    for (count, change) in changes.into_iter().enumerate() {
        change(&mut node);
        for _ in 0..2 {
            let snapshot = service.cluster.read(&[("shop", None)], vec![Event::from(node.clone())]);
            service.writer.publish(snapshot);
            tokio::time::sleep(INTERVAL).await;
        }
        assert_eq!(receiver.posts().len(), count + 1, "{node:?}");
    }
    service.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_no_further_try() {
    let receiver = Scripted::new(|_| Err(down()));
    let mut service = Service::start(&receiver, settings(&[]));
    service.poll(&["a"], INTERVAL).await;
    let (begun, before) = (tokio::time::Instant::now(), receiver.posts().len());
    service.end().await;
    assert!(begun.elapsed() < Duration::from_millis(10), "{:?}", begun.elapsed());
    assert_eq!(receiver.posts().len(), before);
}

/// Nothing was read once more, and nothing has changed either: the receiver learns that it is true still.
#[tokio::test(start_paused = true)]
async fn what_is_watched_is_sent_at_every_interval() {
    let receiver = Scripted::new(|_| taken());
    let mut service = Service::start(&receiver, settings(&[]));
    service.poll(&["a"], INTERVAL).await;
    service.writer.watched(true);
    tokio::time::sleep(2 * INTERVAL).await;
    assert_eq!(receiver.posts().len(), 3);
    service.writer.watched(false);
    tokio::time::sleep(2 * INTERVAL).await;
    assert_eq!(receiver.posts().len(), 3, "the watch is lost");
    service.end().await;
}
