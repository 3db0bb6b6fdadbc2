using System.Collections.Concurrent;
using System.Net;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Mirroring;
using Groundwork.Tests.Support;
using Groundwork.Wire;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Mirroring;

/// <summary>Copies of requests, at a real instance of their own.</summary>
public sealed class MirrorTests
{
    private readonly ConcurrentQueue<string> seen = new();

    [Fact]
    public async Task A_copy_has_the_method_the_path_the_fields_and_the_body_and_its_answer_is_thrown_away()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var shadow = await ShadowAsync(500);
        await using var edge = await StartAsync(instance, shadow);
        using var request = new HttpRequestMessage(HttpMethod.Put, "/api/items/7?x=1")
        {
            Content = new StringContent("the body"),
        };
        request.Headers.Add("X-Mine", "yes");
        request.Headers.TransferEncodingChunked = true;
        using var answer = await edge.Client.SendAsync(request);
        Assert.Equal("ok", await answer.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(() => edge.Module.Mirrored.Sent == 1, "the copy is answered");
        Assert.Equal("PUT /items/7?x=1 yes the body", Assert.Single(seen)); // Changed as the route says.
        await edge.Client.GetAsync("/api/plain");
        await Eventually.TrueAsync(() => edge.Module.Mirrored.Sent == 2, "the second copy is answered");
        Assert.Equal("GET /plain  ", seen.Last());
        Assert.Equal(2, instance.Requests);
        Assert.DoesNotContain(edge.Registry.Outcomes, one => one.Instance.Service.Service == "shadow");
    }

    [Fact]
    public async Task A_mirror_that_hangs_or_is_not_there_keeps_nobody_waiting_and_copies_are_dropped()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var silent = RawInstance.Silent();
        await using var edge = await StartAsync(instance, silent.Address);
        for (var request = 0; request < 1_100; request++) await edge.Client.GetStringAsync("/api/x");
        Assert.Equal(1_100, instance.Requests);
        Assert.InRange(edge.Module.Mirrored.Dropped, 50, 1_100);
        Assert.Equal(0, edge.Module.Mirrored.Sent);
        edge.Registry.Set("shadow");
        var dropped = edge.Module.Mirrored.Dropped;
        Assert.Equal("ok", await edge.Client.GetStringAsync("/api/x"));
        await Eventually.TrueAsync(() => edge.Module.Mirrored.Dropped > dropped, "the copy is dropped");
    }

    [Fact]
    public async Task What_is_too_large_goes_nowhere_or_is_not_drawn_is_not_copied()
    {
        await using var instance = await WebInstance.NamedAsync("ok");
        await using var shadow = await ShadowAsync(200);
        await using var edge = await StartAsync(instance, shadow, new MirrorSpec("shadow", MaxBodyKilobytes: 1));
        using (await edge.Client.PostAsync("/api/x", new ByteArrayContent(new byte[2_000]))) { }
        await Eventually.TrueAsync(() => edge.Module.Mirrored.Dropped == 1, "the large one is dropped");
        await using var never = await StartAsync(instance, shadow, new MirrorSpec("shadow", Percent: 0));
        await never.Client.GetStringAsync("/api/x");
        await using var refusing = await StartAsync(
            instance, shadow, new MirrorSpec("shadow"),
            [new LimitSpec("none", ["client"], Concurrent: 1, Exceptions: [new("127.0.0.1", 0)])]);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await refusing.Client.GetAsync("/api/x")).StatusCode);
        // One that is copied, so that the others would have come before it.
        using (await edge.Client.PostAsync("/api/x", new ByteArrayContent(new byte[1_000]))) { }
        await Eventually.TrueAsync(() => edge.Module.Mirrored.Sent == 1, "the small one is copied");
        Assert.Equal(1, shadow.Requests);
    }

    [Fact]
    public void A_wrong_mirror_is_told_by_its_fields()
    {
        var faults = new List<FieldFault>();
        MirrorRules.Check(new MirrorSpec("a", "b", 101, -1), hasTarget: false, faults);
        Assert.Equal(
            ["spec.mirror", "spec.mirror", "spec.mirror.percent", "spec.mirror.maxBodyKilobytes"],
            faults.Select(fault => fault.Path));
        faults.Clear();
        MirrorRules.Check(new MirrorSpec("shop/a"), hasTarget: true, faults);
        Assert.Empty(faults);
    }

    private Task<WebInstance> ShadowAsync(int status) => WebInstance.StartAsync(async context =>
    {
        using var reader = new StreamReader(context.Request.Body);
        var request = context.Request;
        seen.Enqueue(
            $"{request.Method} {request.Path}{request.QueryString} {request.Headers["X-Mine"]} "
            + await reader.ReadToEndAsync());
        context.Response.StatusCode = status;
        await context.Response.WriteAsync("thrown away");
    });

    private static Task<TestEdge> StartAsync(
        WebInstance instance, WebInstance shadow, MirrorSpec? mirror = null, IReadOnlyList<LimitSpec>? limits = null) =>
        StartAsync(instance, shadow.Address, mirror, limits);

    private static async Task<TestEdge> StartAsync(
        WebInstance instance, IPEndPoint shadow, MirrorSpec? mirror = null, IReadOnlyList<LimitSpec>? limits = null)
    {
        var edge = await TestEdge.StartAsync();
        edge.Registry.Set("shadow", (shadow.Address.ToString(), shadow.Port, 100));
        return edge.RouteAll(spec => spec with
        {
            Request = new RequestChange(new PathChange(StripPrefix: "/api")),
            Match = spec.Match with { Path = "/api/**" },
            Mirror = mirror ?? new MirrorSpec("shadow"),
            Limits = limits,
        }).Instances(instance.Address);
    }
}
