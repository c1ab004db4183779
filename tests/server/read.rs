use std::time::Duration;

use selectord::model::{Node, Object, Operation};
use selectord::wire::proto;
use tonic::Code;

use crate::harness::{Server, Setup, patiently, pod, service, text_selector};

const RNG: &[(&str, &str)] = &[("app", "rng")];

async fn server() -> Server {
    let server = Setup::default().start().await;
    let pods = (0..25).map(|i| {
        pod(
            &format!("rng-{i:02}"),
            i,
            if i % 5 == 0 { &[] } else { RNG },
        )
    });
    server.commit(pods.chain([service("rng", RNG)])).await;
    server
}

/// The pages of one answer: names, and the tokens.
async fn pages(server: &Server, page: proto::PageRequest) -> Vec<(Vec<String>, String)> {
    let request = proto::ListPodsRequest {
        selector: text_selector("app=rng"),
        page: Some(page),
        ..Default::default()
    };
    let mut stream = server
        .query()
        .list_pods(request)
        .await
        .unwrap()
        .into_inner();
    let mut pages = Vec::new();
    while let Some(page) = patiently(stream.message()).await.unwrap() {
        let names = page
            .pods
            .into_iter()
            .filter_map(|item| Some(item.pod?.name))
            .collect();
        pages.push((names, page.next_page_token));
    }
    pages
}

#[tokio::test]
async fn a_listing_comes_in_pages_in_order() {
    let server = server().await;
    let all = pages(
        &server,
        proto::PageRequest {
            page_size: 6,
            ..Default::default()
        },
    )
    .await;
    assert_eq!(
        all.iter().map(|(names, _)| names.len()).collect::<Vec<_>>(),
        [6, 6, 6, 2]
    );
    assert!(all.last().is_some_and(|(_, token)| token.is_empty()));
    let names: Vec<_> = all.into_iter().flat_map(|(names, _)| names).collect();
    assert!(names.is_sorted() && names.len() == 20, "{names:?}");
}

#[tokio::test]
async fn a_limited_answer_can_be_gone_on_with() {
    let server = server().await;
    let mut names = Vec::new();
    let mut page_token = String::new();
    for _ in 0..3 {
        let page = proto::PageRequest {
            page_size: 4,
            limit: 8,
            page_token,
        };
        let answer = pages(&server, page).await;
        page_token = answer
            .last()
            .map(|(_, token)| token.clone())
            .unwrap_or_default();
        names.extend(answer.into_iter().flat_map(|(names, _)| names));
        // What comes meanwhile, before where the last page ended, is not told.
        server.commit([pod("aaa", 99, RNG)]).await;
    }
    assert!(page_token.is_empty());
    assert!(names.is_sorted() && names.len() == 20, "{names:?}");
}

#[tokio::test]
async fn a_token_of_another_request_is_refused() {
    let server = server().await;
    let first = pages(
        &server,
        proto::PageRequest {
            limit: 1,
            ..Default::default()
        },
    )
    .await;
    let page_token = first.last().map(|(_, token)| token.clone()).unwrap();
    assert!(!page_token.is_empty());
    let page = Some(proto::PageRequest {
        page_token,
        ..Default::default()
    });
    let other = proto::ListPodsRequest {
        selector: text_selector("app!=rng"),
        page,
        ..Default::default()
    };
    assert_eq!(
        server.query().list_pods(other).await.unwrap_err().code(),
        Code::InvalidArgument
    );
}

#[tokio::test]
async fn pods_are_counted_and_grouped() {
    let server = server().await;
    let mut query = server.query();
    let request = proto::CountPodsRequest {
        selector: text_selector("app=rng"),
        ..Default::default()
    };
    assert_eq!(
        query.count_pods(request).await.unwrap().into_inner().count,
        20
    );
    let by = Some(proto::group_pods_request::By::LabelKey("app".into()));
    let request = proto::GroupPodsRequest {
        by,
        ..Default::default()
    };
    let groups = query.group_pods(request).await.unwrap().into_inner();
    assert_eq!(
        (groups.groups.len(), groups.groups[0].count, groups.without),
        (1, 20, 5)
    );
    let status = query
        .group_pods(proto::GroupPodsRequest::default())
        .await
        .unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[tokio::test]
async fn one_object_is_shown_or_not_found() {
    let server = server().await;
    let mut query = server.query();
    let mut get = async |name: &str| {
        let request = proto::GetPodRequest {
            namespace: "default".into(),
            name: name.into(),
            at_least_revision: 0,
        };
        query
            .get_pod(request)
            .await
            .map(|answer| answer.into_inner().pod.unwrap().pod.unwrap().pod_ips)
    };
    assert_eq!(get("rng-01").await.unwrap(), ["10.0.0.1"]);
    assert_eq!(get("rng-99").await.unwrap_err().code(), Code::NotFound);
    let request = proto::GetServiceRequest {
        namespace: "default".into(),
        name: "rng".into(),
        at_least_revision: 0,
    };
    let service = server
        .query()
        .get_service(request)
        .await
        .unwrap()
        .into_inner()
        .service
        .unwrap();
    assert_eq!((service.endpoints, service.ready_endpoints), (20, 20));
}

#[tokio::test]
async fn one_node_is_shown_with_its_pods_or_not_found() {
    let server = server().await;
    let node = Node {
        name: "node-1".into(),
        ..Node::default()
    };
    let revision = server
        .commit([Operation::Put(Object::Node(Box::new(node)))])
        .await;
    let mut query = server.query();
    let mut get = async |name: &str| {
        let request = proto::GetNodeRequest {
            name: name.into(),
            at_least_revision: revision,
        };
        query.get_node(request).await
    };
    let item = get("node-1").await.unwrap().into_inner().node.unwrap();
    assert_eq!((item.revision, item.pods), (revision, 25));
    assert_eq!(get("node-2").await.unwrap_err().code(), Code::NotFound);
    assert_eq!(get("").await.unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn services_that_select_a_pod_are_named_and_explained() {
    let server = server().await;
    let mut query = server.query();
    for (pod, expected) in [("rng-01", 1), ("rng-00", 0)] {
        let name = proto::ObjectName {
            namespace: "default".into(),
            name: pod.into(),
        };
        let subject = Some(proto::matching_services_request::Subject::Pod(name));
        let request = proto::MatchingServicesRequest {
            subject,
            at_least_revision: 0,
        };
        assert_eq!(
            query
                .matching_services(request)
                .await
                .unwrap()
                .into_inner()
                .services
                .len(),
            expected,
            "{pod}"
        );

        let membership = proto::explain_query_request::Membership {
            namespace: "default".into(),
            pod: pod.into(),
            service: "rng".into(),
        };
        let subject = Some(proto::explain_query_request::Subject::Membership(
            membership,
        ));
        let request = proto::ExplainQueryRequest {
            subject,
            ..Default::default()
        };
        let answer = query
            .explain_query(request)
            .await
            .unwrap()
            .into_inner()
            .answer;
        let Some(proto::explain_query_response::Answer::Membership(reasons)) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(reasons.endpoint, expected == 1, "{reasons:?}");
    }
    let subject = text_selector("app=rng").map(proto::explain_query_request::Subject::Selector);
    let request = proto::ExplainQueryRequest {
        subject,
        ..Default::default()
    };
    let answer = query
        .explain_query(request)
        .await
        .unwrap()
        .into_inner()
        .answer;
    let Some(proto::explain_query_response::Answer::Plan(plan)) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!((plan.selector.as_str(), plan.count), ("app=rng", 20));
}

#[tokio::test]
async fn a_read_waits_for_the_revision_it_demands() {
    let server = server().await;
    let mut query = server.query();
    let request = proto::CountPodsRequest {
        at_least_revision: 2,
        ..Default::default()
    };
    let (answer, ()) = tokio::join!(query.count_pods(request), async {
        server.commit([pod("late", 99, RNG)]).await;
    });
    let answer = answer.unwrap().into_inner();
    assert_eq!((answer.revision, answer.count), (2, 26));
}

#[tokio::test]
async fn a_revision_that_does_not_come_is_not_waited_for_for_ever() {
    let server = Setup::limits(|limits| limits.query_wait = Duration::from_millis(5))
        .start()
        .await;
    let request = proto::CountPodsRequest {
        at_least_revision: 2,
        ..Default::default()
    };
    let status = server.query().count_pods(request).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
}

#[tokio::test]
async fn status_and_verify_tell_how_it_is() {
    let server = server().await;
    let status = server
        .admin()
        .get_status(proto::GetStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    let sizes = status.sizes.unwrap();
    assert_eq!(
        (status.revision, sizes.pods, sizes.services, sizes.endpoints),
        (1, 25, 1, 20)
    );
    assert_eq!(status.work.unwrap().transactions, 1);
    assert_eq!(status.epoch.len(), 16);
    let verified = server
        .admin()
        .verify(proto::VerifyRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!((verified.revision, verified.discrepancies), (1, vec![]));
}
