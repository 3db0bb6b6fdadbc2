using System.Net;
using System.Net.Http.Json;
using System.Text;
using Groundwork.Services.Registry;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Groundwork.Wire.Contracts;

namespace Groundwork.Services.Tests.Registry;

public sealed class RegistryApiTests
{
    [Fact]
    public async Task Instance_lives_its_life_over_http()
    {
        await using var open = await OpenRegistry.StartAsync();
        var registered = await open.RegisterAsync(LeasedRegistry.Document("a") with { Zone = "east" });
        Assert.Equal("a", registered.Id);

        var listed = await open.GetAsync("services/default/orders");
        var instance = Assert.Single(listed.Instances);
        Assert.Equal(("a", "healthy", "east"), (instance.Id, instance.Health?.State, instance.Zone));
        Assert.NotNull(instance.ExpiresAt);
        Assert.Equal("store", listed.StoreId);

        var renewed = await RenewAsync(open, new RenewalDocument("orders", "a"), new RenewalDocument("orders", "b"));
        Assert.Equal(1, renewed.Renewed);
        Assert.Equal("instance_not_found", Assert.Single(renewed.Refused).Code);

        using var drained = await open.SendAsync(HttpMethod.Post, "instances/default/orders/a/drain");
        Assert.Equal(HttpStatusCode.OK, drained.StatusCode);
        Assert.Equal("draining", (await open.GetAsync("services/default/orders")).Instances[0].Status);

        using var gone = await open.SendAsync(HttpMethod.Delete, "instances/default/orders/a");
        Assert.Equal(HttpStatusCode.NoContent, gone.StatusCode);
        using var again = await open.SendAsync(HttpMethod.Delete, "instances/default/orders/a");
        Assert.Equal(HttpStatusCode.NoContent, again.StatusCode);
        Assert.Equal("the last instance, a: deregistered", (await open.GetAsync("services/default/orders"))
            .EmptyReason);
    }

    [Fact]
    public async Task Every_fault_of_a_registration_is_named_at_once()
    {
        await using var open = await OpenRegistry.StartAsync();
        var wrong = new InstanceDocument(
            "no spaces", "", 0, "UPPER", "a@@b", "/", "ftp", Weight: 20_000, Status: "sleeping", LeaseSeconds: 1,
            Incarnation: -1, Tags: [""], Metadata: new Dictionary<string, string> { ["k"] = new string('x', 20_000) },
            RegisteredBy: "me", RegisteredFrom: "10.0.0.9",
            Checks: [new InstanceCheck("c", "odd", default, "instance")]);
        using var answer = await open.SendAsync(
            HttpMethod.Put, "instances", JsonContent.Create(wrong, WireJson.Strict.InstanceDocument));
        Assert.True(answer.StatusCode == HttpStatusCode.UnprocessableEntity, await answer.Content.ReadAsStringAsync());
        var problem = await answer.Content.ReadFromJsonAsync(WireJson.Strict.ProblemDocument);
        Assert.Equal("instance_invalid", problem?.Code);
        Assert.Equal(
            [
                "checks[0].state", "group", "host", "id", "incarnation", "leaseSeconds", "metadata", "namespace",
                    "port",
                "registeredBy", "registeredFrom", "scheme", "service", "status", "tags[0]", "weight",
            ],
            problem?.Fields?.Select(field => field.Path).Order(StringComparer.Ordinal));
        Assert.Equal(0, open.Registry.InstanceCount);
    }

    [Fact]
    public async Task Blocking_query_answers_when_its_service_changes_and_not_for_another()
    {
        await using var open = await OpenRegistry.StartAsync();
        var index = (await open.RegisterAsync(LeasedRegistry.Document("a"))).Index;
        var waiting = open.GetAsync($"services/default/orders?index={index}&wait=30s");
        await Eventually.TrueAsync(() => open.Registry.Watches.Count == 1, "the query waits");
        await open.RegisterAsync(LeasedRegistry.Document("a", "stock"));
        await open.RegisterAsync(LeasedRegistry.Document("b"));
        var answer = await waiting;
        Assert.True(answer.Index > index);
        Assert.Equal(2, answer.Instances.Count);
        await Eventually.TrueAsync(() => open.Registry.Watches.Count == 0, "the watch is closed");
    }

    [Fact]
    public async Task Blocking_query_without_news_answers_with_the_same_index_when_its_wait_is_over()
    {
        await using var open = await OpenRegistry.StartAsync();
        var index = (await open.RegisterAsync(LeasedRegistry.Document("a"))).Index;
        var answer = await open.GetAsync($"services/default/orders?index={index}&wait=200ms");
        Assert.Equal(index, answer.Index);
    }

    [Fact]
    public async Task Blocking_query_waits_for_a_service_that_has_never_registered()
    {
        await using var open = await OpenRegistry.StartAsync();
        var unknown = await open.GetAsync("services/default/later");
        Assert.Empty(unknown.Instances);
        Assert.Null(unknown.EmptyReason);
        var waiting = open.GetAsync($"services/default/later?index={unknown.Index}");
        await Eventually.TrueAsync(() => open.Registry.Watches.Count == 1, "the query waits");
        await open.RegisterAsync(LeasedRegistry.Document("a", "later"));
        Assert.Single((await waiting).Instances);
    }

    [Fact]
    public async Task Index_that_was_never_given_is_of_another_store()
    {
        await using var open = await OpenRegistry.StartAsync();
        using var answer = await open.SendAsync(HttpMethod.Get, $"services/default/orders?index={1L << 40}");
        Assert.Equal(HttpStatusCode.Gone, answer.StatusCode);
        Assert.Equal("index_unknown", (await answer.Content.ReadFromJsonAsync(WireJson.Strict.ProblemDocument))?.Code);
    }

    [Fact]
    public async Task Watch_shows_what_is_and_then_what_changes_coalesced()
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        await using var watch = await EventStream.OpenAsync(
            open, "watch?namespace=default&service=orders&service=stock");
        var first = new[] { await watch.NextAsync(), await watch.NextAsync() }.ToDictionary(
            document => document.Service);
        Assert.Single(first["orders"].Instances);
        Assert.Empty(first["stock"].Instances);
        for (var weight = 1; weight <= 500; weight++)
            open.Registry.Register(
                new Instance(
                    LeasedRegistry.Key("a"), "10.0.0.1", 80) { Weight = weight, Incarnation = long.MaxValue }, "test");
        var (events, last) = (0, default(ServiceDocument));
        while (last?.Instances[0].Weight != 500)
        {
            var next = await watch.NextAsync();
            Assert.True(next.Index > (last?.Index ?? 0));
            last = next;
            events++;
        }
        Assert.InRange(events, 1, 100);
    }

    [Fact]
    public async Task Watch_of_a_namespace_shows_services_that_come_later()
    {
        await using var open = await OpenRegistry.StartAsync();
        await using var watch = await EventStream.OpenAsync(open, "watch?namespace=default");
        await open.RegisterAsync(LeasedRegistry.Document("a", "one"));
        Assert.Equal("one", (await watch.NextAsync()).Service);
        await open.RegisterAsync(LeasedRegistry.Document("a", "two"));
        Assert.Equal("two", (await watch.NextAsync()).Service);
    }

    [Fact]
    public async Task Watch_of_a_revoked_caller_ends()
    {
        await using var open = await OpenRegistry.StartAsync();
        await using var watch = await EventStream.OpenAsync(open, "watch?namespace=default&service=orders");
        await watch.NextAsync();
        open.Revoked = OpenRegistry.All;
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        Assert.Null(await watch.TryNextAsync());
    }

    [Fact]
    public async Task Drain_waits_until_watchers_were_sent_it()
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        await open.RegisterAsync(LeasedRegistry.Document("b"));
        await using var watch = await EventStream.OpenAsync(open, "watch?namespace=default&service=orders");
        await watch.NextAsync();
        using var drained = await open.SendAsync(HttpMethod.Post, "instances/default/orders/a/drain?wait=5s");
        var index = (await drained.Content.ReadFromJsonAsync(WireJson.Strict.ServiceDocument))!.Index;
        Assert.Equal(index, (await watch.NextAsync()).Index);
        using var watchers = await open.SendAsync(
            HttpMethod.Get, $"services/default/orders/watchers?index={index}&wait=5s");
        var told = await watchers.Content.ReadFromJsonAsync(WireJson.Strict.WatchersDocument);
        Assert.Equal((index, 1, 0), (told?.Index, told?.Watchers, told?.Behind));
    }

    [Fact]
    public async Task Watchers_that_were_not_sent_an_index_are_counted_as_behind()
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        var session = open.Registry.Watches.Open([LeasedRegistry.Orders], "test");
        using var watchers = await open.SendAsync(HttpMethod.Get, "services/default/orders/watchers?wait=100ms");
        var answer = await watchers.Content.ReadFromJsonAsync(WireJson.Strict.WatchersDocument);
        Assert.Equal((1, 1), (answer?.Watchers, answer?.Behind));
        Assert.NotNull(session);
        Assert.Equal([new WatcherDocument("test", "a", Seen: false)], answer?.Items);
    }

    [Theory]
    [InlineData("register,renew,discover", "default/stock/7", "default/stock/7")]
    [InlineData("discover", "default/stock/7", "discover")] // It may not renew that instance, so it is not that one.
    [InlineData("renew,discover", "other/stock/7", "renew,discover")]
    [InlineData("renew,discover", "nonsense", "renew,discover")]
    public async Task Watcher_is_known_by_the_instance_that_it_may_renew_else_by_its_principal(
        string may, string claim, string name)
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        await using var watch = await EventStream.OpenAsync(
            open, "watch?namespace=default&service=orders", may, claim);
        await watch.NextAsync();
        using var watchers = await open.SendAsync(HttpMethod.Get, "services/default/orders/watchers?wait=5s");
        var answer = await watchers.Content.ReadFromJsonAsync(WireJson.Strict.WatchersDocument);
        Assert.Equal([new WatcherDocument(name, "a", Seen: true)], answer?.Items);
    }

    [Fact]
    public async Task Instances_are_listed_by_what_they_are_and_page_by_page()
    {
        await using var open = await OpenRegistry.StartAsync();
        for (var at = 0; at < 6; at++)
        {
            foreach (var service in new[] { "orders", "stock" })
                await open.RegisterAsync(LeasedRegistry.Document($"i{at}", service) with
                {
                    Zone = at % 2 == 0 ? "east" : "west", Version = at < 4 ? "1" : "2",
                });
        }
        open.Registry.Drain(LeasedRegistry.Key("i0"), "test");
        Assert.Equal(
            ["orders/i0 False", "orders/i2 True", "orders/i4 True", "stock/i0 True", "stock/i2 True", "stock/i4 True"],
            await ListAsync(open, "zone=east&limit=4"));
        Assert.Equal(["orders/i5 True"], await ListAsync(open, "service=orders&zone=west&version=2&limit=1"));
        Assert.Equal(["orders/i0 False"], await ListAsync(open, "namespace=default&callable=false"));
        Assert.Equal(["orders/i0 False"], await ListAsync(open, "status=draining"));
        Assert.Empty(await ListAsync(open, "health=unhealthy"));
        Assert.Equal(12, (await ListAsync(open, "group=default&limit=5")).Length);
    }

    [Fact]
    public async Task Versions_stand_side_by_side_with_their_counts_and_zones()
    {
        await using var open = await OpenRegistry.StartAsync();
        var broken = new InstanceCheck("disk", "critical", default, "instance");
        await open.RegisterAsync(LeasedRegistry.Document("a") with { Version = "1", Zone = "east" });
        await open.RegisterAsync(LeasedRegistry.Document("b") with { Version = "1", Zone = "west" });
        await open.RegisterAsync(LeasedRegistry.Document("c") with { Version = "2", Zone = "west" });
        await open.RegisterAsync(LeasedRegistry.Document("d") with { Version = "2", Checks = [broken] });
        await open.RegisterAsync(LeasedRegistry.Document("e"));
        open.Registry.Drain(LeasedRegistry.Key("a"), "test");
        using var answer = await open.SendAsync(HttpMethod.Get, "services/default/orders/versions");
        var versions = (await answer.Content.ReadFromJsonAsync(WireJson.Strict.VersionList))!.Items;
        Assert.Equal(
            [": 1 1 1 -=1", "1: 2 2 1 east=1 west=1", "2: 2 1 1 -=1 west=1"],
            versions.Select(version => $"{version.Version}: {version.Instances} {version.Healthy} {version.Callable} "
                + string.Join(' ', version.Zones.Select(zone => $"{zone.Key}={zone.Value}"))));
    }

    [Fact]
    public async Task List_of_services_is_paged_in_order()
    {
        await using var open = await OpenRegistry.StartAsync();
        for (var at = 0; at < 25; at++) await open.RegisterAsync(LeasedRegistry.Document("a", $"s{at:00}"));
        var (names, page) = (new List<string>(), "");
        do
        {
            using var answer = await open.SendAsync(HttpMethod.Get, $"services?namespace=default&limit=10{page}");
            var list = (await answer.Content.ReadFromJsonAsync(WireJson.Strict.ServiceList))!;
            names.AddRange(list.Items.Select(item => item.Service));
            page = list.NextPage is null ? "" : $"&page={list.NextPage}";
        }
        while (page.Length > 0);
        Assert.Equal(Enumerable.Range(0, 25).Select(at => $"s{at:00}"), names);
    }

    [Fact]
    public async Task Outcomes_of_others_eject_and_events_say_why()
    {
        await using var open = await OpenRegistry.StartAsync();
        foreach (var id in new[] { "a", "b", "c" }) await open.RegisterAsync(LeasedRegistry.Document(id));
        using var sent = await open.SendAsync(
            HttpMethod.Post,
            "outcomes",
            JsonContent.Create(
                new OutcomeBatch([new("orders", "a", "connect-failed", 3)]), WireJson.Strict.OutcomeBatch));
        Assert.Equal(HttpStatusCode.NoContent, sent.StatusCode);
        await Eventually.TrueAsync(
            () => open.Registry.Find(LeasedRegistry.Orders)?.Callable.Length == 2, "a is ejected");
        using var answer = await open.SendAsync(HttpMethod.Get, "events?namespace=default&service=orders&limit=1");
        var happened = Assert.Single(
            (await answer.Content.ReadFromJsonAsync(WireJson.Strict.RegistryEventList))!.Items);
        Assert.Equal(("unhealthy", "a"), (happened.Event, happened.Id));
    }

    [Theory]
    [InlineData("PUT", "instances", "renew,discover,operate", """{"service":"orders","host":"10.0.0.1","port":80}""")]
    [InlineData(
        "PUT", "instances", "register", """{"service":"orders","host":"10.0.0.1","port":80,"namespace":"other"}""")]
    [InlineData("DELETE", "instances/default/orders/a", "renew,discover,operate", null)]
    [InlineData("POST", "instances/default/orders/a/drain", "renew,discover", null)]
    [InlineData("POST", "instances/default/orders/a/undrain", "register,renew,discover", null)]
    [InlineData("GET", "services/default/orders/versions", "register,renew", null)]
    [InlineData("GET", "services/default/orders", "register,renew", null)]
    [InlineData("GET", "services/other/orders", "discover", null)]
    [InlineData("GET", "services/default/orders/watchers", "register,renew", null)]
    [InlineData("GET", "watch?namespace=default&service=orders", "register,renew", null)]
    public async Task Call_without_the_permission_is_refused_and_audited(
        string method, string path, string may, string? body)
    {
        await using var open = await OpenRegistry.StartAsync();
        await open.RegisterAsync(LeasedRegistry.Document("a"));
        using var content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await open.SendAsync(new HttpMethod(method), path, content, may);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        Assert.Single(open.Audit, happened => happened.Outcome == "forbidden");
        Assert.Equal(InstanceStatus.Up, open.Registry.Find(LeasedRegistry.Orders)?.Instances[0].Status);
    }

    [Fact]
    public async Task Renewals_and_lists_show_only_what_the_caller_may_see()
    {
        await using var open = await OpenRegistry.StartAsync();
        open.Registry.Register(
            new Instance(new InstanceKey(
                new ServiceKey("other", "default", "hidden"), "a"), "10.0.0.1", 80) { Incarnation = 1 }, "test");
        var renewed = await RenewAsync(open, new RenewalDocument("hidden", "a", "other"));
        Assert.Equal("forbidden", Assert.Single(renewed.Refused).Code);
        using var list = await open.SendAsync(HttpMethod.Get, "services");
        Assert.Empty((await list.Content.ReadFromJsonAsync(WireJson.Strict.ServiceList))!.Items);
        using var events = await open.SendAsync(HttpMethod.Get, "events");
        Assert.Empty((await events.Content.ReadFromJsonAsync(WireJson.Strict.RegistryEventList))!.Items);
    }

    [Theory]
    [InlineData("PUT", "renewals", """{"renewals":[]}""", "bad_request")]
    [InlineData(
        "POST", "outcomes", """{"outcomes":[{"service":"a","id":"b","outcome":"odd","count":1}]}""", "bad_request")]
    [InlineData("POST", "outcomes", """{"outcomes":[{"service":"a","id":"b","outcome":"answered","count":0}]}""",
        "bad_request")]
    [InlineData("GET", "services?limit=0", null, "bad_request")]
    [InlineData("GET", "services?page=zz", null, "bad_page_token")]
    [InlineData("GET", "services/default/orders?index=1&wait=long", null, "bad_request")]
    [InlineData("GET", "events?limit=5000", null, "bad_request")]
    [InlineData("GET", "instances?status=asleep", null, "bad_request")]
    [InlineData("GET", "instances?health=fine", null, "bad_request")]
    [InlineData("GET", "instances?page=zz", null, "bad_page_token")]
    [InlineData("GET", "instances?callable=maybe", null, "bad_request")]
    [InlineData("GET", "instances?service=a@@b@@c", null, "name_invalid")]
    [InlineData("POST", "instances/default/orders/x/undrain", null, "instance_not_found")]
    [InlineData("POST", "instances/default/orders/x/drain", null, "instance_not_found")]
    [InlineData("POST", "instances/default/orders/x/drain?wait=x", null, "bad_request")]
    [InlineData("PUT", "instances", """{"service":"orders","host":"h","port":80,"colour":"red"}""", "bad_request")]
    public async Task Bad_input_has_its_code(string method, string path, string? body, string code)
    {
        await using var open = await OpenRegistry.StartAsync();
        using var content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        using var answer = await open.SendAsync(new HttpMethod(method), path, content);
        Assert.Equal(code, (await answer.Content.ReadFromJsonAsync(WireJson.Strict.ProblemDocument))?.Code);
    }

    [Fact]
    public async Task More_watchers_than_the_limit_are_told_to_come_back()
    {
        await using var open = await OpenRegistry.StartAsync(new RegistryOptions { MaxWatchers = 1 });
        await using var watch = await EventStream.OpenAsync(open, "watch?namespace=default&service=orders");
        await watch.NextAsync();
        using var second = await open.SendAsync(HttpMethod.Get, "watch?namespace=default");
        Assert.Equal("registry_full", (await second.Content.ReadFromJsonAsync(WireJson.Strict.ProblemDocument))?.Code);
        Assert.NotNull(second.Headers.RetryAfter);
    }

    private static async Task<string[]> ListAsync(OpenRegistry open, string query)
    {
        var (rows, page) = (new List<string>(), "");
        do
        {
            using var answer = await open.SendAsync(HttpMethod.Get, $"instances?{query}{page}");
            Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            var list = (await answer.Content.ReadFromJsonAsync(WireJson.Strict.InstanceList))!;
            rows.AddRange(list.Items.Select(item => $"{item.Service}/{item.Id} {item.Callable}"));
            page = list.NextPage is null ? "" : $"&page={list.NextPage}";
        }
        while (page.Length > 0);
        return [.. rows];
    }

    private static async Task<RenewalAnswer> RenewAsync(OpenRegistry open, params RenewalDocument[] renewals)
    {
        using var answer = await open.SendAsync(
            HttpMethod.Put, "renewals", JsonContent.Create(new RenewalBatch(renewals), WireJson.Strict.RenewalBatch));
        return (await answer.Content.ReadFromJsonAsync(WireJson.Strict.RenewalAnswer))!; // A success has a body.
    }
}
