using System.Collections.Concurrent;
using System.Diagnostics;
using Groundwork.Client.Calls;
using Groundwork.Client.Tests.Support;
using Groundwork.Tests.Support;
using Groundwork.Wire.Contracts;

namespace Groundwork.Client.Tests.Calls;

public sealed class CallSpanTests : IDisposable
{
    private readonly ConcurrentQueue<Activity> spans = new();
    private readonly ActivityListener listener;
    private readonly Activity caller = new Activity("caller").SetIdFormat(ActivityIdFormat.W3C);

    public CallSpanTests()
    {
        caller.ActivityTraceFlags = ActivityTraceFlags.Recorded;
        caller.Start();
        listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == CallSpans.SourceName,
            // Other tests call too: only what belongs to this one's trace.
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Parent.TraceId == caller.TraceId
                    ? ActivitySamplingResult.AllDataAndRecorded
                    : ActivitySamplingResult.None,
            ActivityStopped = span => spans.Enqueue(span),
        };
        ActivitySource.AddActivityListener(listener);
    }

    public void Dispose()
    {
        listener.Dispose();
        caller.Dispose();
    }

    [Fact]
    public async Task Each_try_has_a_span_below_the_callers_with_instance_and_reasons()
    {
        await using var calling = await CallingHost.StartAsync(("Retry:Statuses", "503"));
        calling.Platform.PublishService(calling.Platform.Service("catalog", 3) with
        {
            Instances =
            [
                At(calling.First.Port) with { Zone = "eu-1" }, At(calling.Second.Port) with { Zone = "eu-1" },
            ],
        });
        calling.Instead = context => CallingHost.Status(context, 503);

        using var answer = await calling.Http.GetAsync("http://catalog/");

        var tries = spans.ToArray();
        Assert.Equal(["first", "retry"], tries.Select(span => Tag(span, "reason")));
        Assert.Equal([1, 2], tries.Select(span => Tag(span, "attempt")));
        Assert.Equal(["less-loaded", "only"], tries.Select(span => Tag(span, "choice")));
        Assert.Equal(
            new[] { $"catalog-{calling.First.Port}", $"catalog-{calling.Second.Port}" }.Order(),
            tries.Select(span => (string)Tag(span, "instance")!).Order());
        Assert.All(tries, span =>
        {
            Assert.Equal((caller.SpanId, ActivityKind.Client), (span.ParentSpanId, span.Kind));
            Assert.Equal(("catalog", "eu-1", "answered"),
                (Tag(span, "service"), Tag(span, "zone"), Tag(span, "outcome")));
            Assert.Equal(503, span.GetTagItem("http.response.status_code"));
            Assert.Equal(ActivityStatusCode.Error, span.Status);
        });
        // What arrives is below the try, and not beside it.
        var parents = calling.First.Requests.Concat(calling.Second.Requests)
            .Select(request => request.Headers["traceparent"].ToString());
        Assert.All(parents, parent => Assert.Contains(caller.TraceId.ToHexString(), parent, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_hedge_and_the_one_it_overtook_are_told_apart()
    {
        await using var calling = await CallingHost.StartAsync(("Hedge:After", "10ms"));
        calling.First.Instead = CallingHost.Hang;

        await Eventually.TrueAsync(
            async () =>
            {
                await calling.Http.GetStringAsync("http://catalog/");
                return spans.Any(span => "hedge".Equals(Tag(span, "reason")));
            },
            "a hedge was made");

        await Eventually.TrueAsync(
            () => spans.Any(span => "cancelled".Equals(Tag(span, "outcome"))), "the one it overtook has ended");
        Assert.All(spans, span => Assert.Equal(caller.SpanId, span.ParentSpanId));
    }

    [Fact]
    public async Task A_fault_is_its_code()
    {
        await using var calling = await CallingHost.StartAsync(("Retry", "off"));
        calling.Instead = CallingHost.Abort;

        await Assert.ThrowsAsync<GroundworkCallException>(() => calling.Http.GetAsync("http://catalog/"));

        Assert.Equal("upstream_failed", Tag(Assert.Single(spans), "outcome"));
    }

    private static object? Tag(Activity span, string name) => span.GetTagItem("groundwork." + name);

    private static InstanceDocument At(int port) => new("catalog", "127.0.0.1", port, Id: $"catalog-{port}");
}
