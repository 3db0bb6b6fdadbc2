using System.Net;
using System.Text;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Communication.Gateway.Routing;
using Groundwork.Kernel.Hosting.Metering;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Recording;

/// <summary>What is counted of requests that go through a real listener.</summary>
public sealed class FiguresTests
{
    [Fact]
    public async Task Each_request_is_counted_by_its_route_status_and_code_with_its_bytes()
    {
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null);
            context.Response.StatusCode = context.Request.Path == "/broken" ? 503 : 200;
            await context.Response.WriteAsync("12345");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll(spec => spec with { Match = spec.Match with { Methods = ["GET", "POST"] } })
            .Instances(instance.Address);
        edge.Snapshots.Put(Routes.Resource("gone", new RouteSpec(
            new MatchSpec(["127.0.0.1"], "/gone"), Respond: new AnswerSpec(410, "away"))));

        await edge.Client.GetStringAsync("/");
        await edge.Client.PostAsync("/", new StringContent("abc"));
        await edge.Client.GetAsync("/broken");
        await edge.Client.GetAsync("/gone");
        await edge.Client.DeleteAsync("/");
        var text = await ScrapeAsync(edge, "class=\"4xx\",code=\"method_not_allowed\"");

        Assert.Contains("groundwork_gateway_requests_total{route=\"default/all\",class=\"2xx\"} 2\n", text);
        Assert.Contains("groundwork_gateway_requests_total{route=\"default/all\",class=\"5xx\"} 1\n", text);
        Assert.Contains("groundwork_gateway_requests_total{route=\"default/gone\",class=\"4xx\"} 1\n", text);
        // Of no route: the method is the routes' to know.
        Assert.Contains("groundwork_gateway_requests_total{class=\"4xx\",code=\"method_not_allowed\"} 1\n", text);
        Assert.Contains("groundwork_gateway_request_bytes_total{route=\"default/all\"} 3\n", text);
        Assert.Contains("groundwork_gateway_response_bytes_total{route=\"default/all\"} 15\n", text);
        Assert.Contains("groundwork_gateway_request_duration_seconds_count{route=\"default/all\"} 3\n", text);
        Assert.Contains("groundwork_gateway_request_duration_seconds_bucket{route=\"default/all\",le=\"30\"} 3\n", text);
        Assert.Contains("groundwork_gateway_attempts_total{route=\"default/all\"} 3\n", text);
        Assert.Contains("groundwork_gateway_retries_total{route=\"default/all\"} 0\n", text);
        Assert.Contains("groundwork_gateway_upstream_requests_total{upstream=\"default/service\"} 3\n", text);
        Assert.Contains("groundwork_gateway_upstream_latency_seconds_count{upstream=\"default/service\"} 3\n", text);
        Assert.DoesNotContain("groundwork_gateway_upstream_failures_total{", text);
        Assert.Contains(
            $"groundwork_gateway_instance_ejected{{upstream=\"default/service\",instance=\"{instance.Address}\"}} 0\n",
            text);
    }

    [Fact]
    public async Task A_retry_is_two_attempts_and_a_failure_of_the_upstream_and_one_request()
    {
        await using var instance = await WebInstance.NamedAsync("alive");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address, RawInstance.Refusing());

        // Until the dead one was drawn first.
        await Eventually.TrueAsync(async () =>
        {
            Assert.Equal("alive", await edge.Client.GetStringAsync("/"));
            return Read(edge).Contains("reason=\"connect\"", StringComparison.Ordinal);
        }, "a failed attempt");
        var route = await Eventually.ValueAsync(
            () => Task.FromResult(edge.Module.Seen.Recorder.Traffic.Routes().Single()),
            reading => reading.Retries > 0, "the request is over");

        var requests = route.Answers.Sum(answer => answer.Count);
        Assert.Equal(requests + route.Retries, route.Attempts);
        Assert.Equal(requests, Assert.Single(route.Answers, answer => answer is { Class: 2, Code: null }).Count);
    }

    [Fact]
    public async Task A_client_that_leaves_before_the_answer_is_counted_as_gone()
    {
        await using var instance = RawInstance.Silent();
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using (var leaving = new CancellationTokenSource())
        {
            var asking = edge.Client.GetAsync("/", leaving.Token);
            await Eventually.TrueAsync(() => instance.Connections == 1, "the instance is asked");
            await leaving.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        }

        var text = await ScrapeAsync(edge, "client_gone");
        Assert.Contains(
            "groundwork_gateway_requests_total{route=\"default/all\",class=\"4xx\",code=\"client_gone\"} 1\n", text);
        Assert.Contains("groundwork_gateway_requests_under_way 0\n", text);
    }

    [Fact]
    public async Task An_answer_that_breaks_off_is_counted_with_its_code()
    {
        await using var instance = RawInstance.Answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => edge.Client.GetStringAsync("/"));

        Assert.Contains("class=\"2xx\",code=\"upstream_failed\"} 1\n", await ScrapeAsync(edge, "upstream_failed"));
    }

    [Fact]
    public async Task A_head_that_is_none_is_counted_too()
    {
        await using var edge = await TestEdge.StartAsync();
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(edge.Address);
        await client.GetStream().WriteAsync("GET / HTTP/1.1\r\nHost : a\r\n\r\n"u8.ToArray());
        using var reader = new StreamReader(client.GetStream());
        await reader.ReadToEndAsync();

        Assert.Contains(
            "groundwork_gateway_requests_total{class=\"4xx\",code=\"bad_request\"} 1\n",
            await ScrapeAsync(edge, "bad_request"));
    }

    [Fact]
    public async Task A_changed_route_keeps_its_figures_and_a_deleted_one_is_forgotten()
    {
        await using var edge = await TestEdge.StartAsync();
        var spec = new RouteSpec(new MatchSpec(["127.0.0.1"], "/a"), Respond: new AnswerSpec(200, "a"));
        edge.Snapshots.Put(Routes.Resource("a", spec));
        await edge.Client.GetStringAsync("/a");
        edge.Snapshots.Put(Routes.Resource("a", spec with { Priority = 1 }, 2));
        await edge.Client.GetStringAsync("/a");
        Assert.Contains("{route=\"default/a\",class=\"2xx\"} 2\n", await ScrapeAsync(edge, "class=\"2xx\"} 2"));

        edge.Snapshots.Delete(Routes.Resource("a", spec).Key);

        Assert.DoesNotContain("default/a", Read(edge));
    }

    [Fact]
    public void Routes_for_which_there_is_no_room_are_counted_together()
    {
        var traffic = new TrafficCounters();
        for (var index = 0; index < TrafficCounters.MaxSeries + 5; index++)
            traffic.Of(Routes.Make($"r{index}", $"/{index}", ["*"])).Count(200, null, 10, 0, 1, 1);

        var all = traffic.Routes().ToList();
        Assert.Equal(TrafficCounters.MaxSeries + 1, all.Count);
        Assert.Equal(5, all.Single(one => one.Name == TrafficCounters.Others).Answers.Sum(answer => answer.Count));
    }

    [Fact]
    public void Threads_that_count_at_once_lose_nothing()
    {
        var series = new RouteSeries("r");
        Parallel.For(0, 8, worker =>
        {
            for (var index = 0; index < 10_000; index++)
                series.Count(worker % 2 == 0 ? 200 : 500, worker % 4 == 1 ? "internal" : null, 1_500, 1, 2, 1);
        });

        var reading = series.Read();
        Assert.Equal(80_000, reading.Answers.Sum(answer => answer.Count));
        Assert.Equal((80_000L, 160_000L, 80_000L), (reading.BytesIn, reading.BytesOut, reading.Attempts));
        Assert.Equal(80_000, reading.Durations[1]); // Over a millisecond, up to two and a half.
        Assert.Equal(120, reading.Seconds, 3);
    }

    [Theory]
    [InlineData(0.5, 5)]
    [InlineData(0.99, 9.9)]
    public void A_quantile_is_told_as_near_as_the_buckets_do(double share, double millis)
    {
        var counts = new long[LatencyBuckets.Count];
        counts[LatencyBuckets.IndexOf(700)] = 25; // Half a millisecond each, as far as is known.
        counts[LatencyBuckets.IndexOf(4_000)] = 25;
        counts[LatencyBuckets.IndexOf(9_000)] = 50;
        Assert.Equal(millis, LatencyBuckets.Quantile(counts, share)!.Value, 1);
        Assert.Null(LatencyBuckets.Quantile(new long[LatencyBuckets.Count], share));
    }

    private static string Read(TestEdge edge)
    {
        var text = new MetricsText();
        edge.Module.Seen.Figures.Write(text);
        return Encoding.UTF8.GetString(text.Bytes.Span);
    }

    // A request is counted when it is over, which may be after its client has read the answer.
    private static Task<string> ScrapeAsync(TestEdge edge, string until) => Eventually.ValueAsync(
        () => Task.FromResult(Read(edge)), text => text.Contains(until, StringComparison.Ordinal), until);
}
