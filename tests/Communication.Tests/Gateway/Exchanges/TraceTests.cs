using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Exchanges;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Exchanges;

/// <summary>How a trace comes in and goes on: W3C Trace Context and B3, as their documents have it.</summary>
public sealed class TraceTests
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    private const string Span = "00f067aa0ba902b7";

    [Theory]
    [InlineData("00-" + Trace + "-" + Span + "-01", "01")]
    [InlineData("00-" + Trace + "-" + Span + "-00", "00")]
    [InlineData("00-" + Trace + "-" + Span + "-ff", "03")] // Flags without a meaning are not passed on.
    [InlineData("cc-" + Trace + "-" + Span + "-01-later-versions-have-more", "01")]
    public async Task The_trace_and_its_flag_are_kept_and_the_gateway_is_the_parent(string sent, string flags)
    {
        var (seen, answer) = await SeenAsync(TraceHeaders.W3C, ("traceparent", sent), ("tracestate", "a=1,b=2"));

        var parts = seen["traceparent"].Split('-');
        Assert.Equal(("00", Trace, flags), (parts[0], parts[1], parts[3]));
        Assert.NotEqual(Span, parts[2]);
        Assert.Equal("a=1,b=2", seen["tracestate"]);
        // By which the request is found.
        Assert.Equal(parts[2], Assert.Single(answer.Headers.GetValues("Groundwork-Request-Id")));
    }

    [Theory]
    [InlineData("00-" + Trace + "-" + Span + "-01-more")] // Not in this version.
    [InlineData("ff-" + Trace + "-" + Span + "-01")]
    [InlineData("00-00000000000000000000000000000000-" + Span + "-01")]
    [InlineData("00-" + Trace + "-0000000000000000-01")]
    [InlineData("00-4BF92F3577B34DA6A3CE929D0E0E4736-" + Span + "-01")]
    [InlineData("00-" + Trace + "-" + Span)]
    public async Task What_is_no_trace_is_dropped_with_its_state_and_another_begun(string sent)
    {
        var (seen, _) = await SeenAsync(TraceHeaders.W3C, ("traceparent", sent), ("tracestate", "a=1"));

        Assert.Matches("^00-[0-9a-f]{32}-[0-9a-f]{16}-00$", seen["traceparent"]);
        Assert.DoesNotContain("00000000000000000000000000000000", seen["traceparent"], StringComparison.Ordinal);
        Assert.DoesNotContain(Trace, seen["traceparent"], StringComparison.Ordinal);
        Assert.False(seen.ContainsKey("tracestate"));
    }

    [Fact]
    public async Task Each_request_of_a_trace_has_a_span_of_its_own()
    {
        var parent = ("traceparent", $"00-{Trace}-{Span}-01");
        var (first, _) = await SeenAsync(TraceHeaders.W3C, parent);
        var (second, _) = await SeenAsync(TraceHeaders.W3C, parent);
        Assert.NotEqual(first["traceparent"], second["traceparent"]);
    }

    [Theory]
    [InlineData(Trace + "-" + Span + "-1", Trace, "1", "01")]
    [InlineData(Trace + "-" + Span + "-0-05e3ac9a4f6e3b90", Trace, "0", "00")]
    [InlineData(Trace + "-" + Span + "-d", Trace, "d", "01")]
    [InlineData(Trace + "-" + Span, Trace, null, "00")] // Nobody has decided yet.
    [InlineData("a3ce929d0e0e4736-" + Span + "-1", "0000000000000000a3ce929d0e0e4736", "1", "01")]
    public async Task B3_in_one_field_comes_in_and_goes_on_in_both_forms(
        string sent, string trace, string? sampling, string flags)
    {
        var (seen, _) = await SeenAsync(TraceHeaders.W3C | TraceHeaders.B3, ("b3", sent));

        var parent = seen["traceparent"].Split('-');
        Assert.Equal((trace, flags), (parent[1], parent[3]));
        Assert.Equal(
            $"{trace}-{parent[2]}" + (sampling is null ? "" : $"-{sampling}-{Span}"), seen["b3"]);
    }

    [Theory]
    [InlineData("1", null, "1", null)]
    [InlineData("0", null, "0", null)]
    [InlineData("true", null, "1", null)]
    [InlineData(null, "1", null, "1")]
    [InlineData(null, null, null, null)]
    public async Task B3_in_several_fields_comes_in_and_goes_on(
        string? sampled, string? flags, string? sampledOn, string? flagsOn)
    {
        var (seen, _) = await SeenAsync(
            TraceHeaders.B3Multi, ("X-B3-TraceId", Trace), ("X-B3-SpanId", Span), ("X-B3-ParentSpanId", "05e3ac9a4f6e3b90"),
            ("X-B3-Sampled", sampled), ("X-B3-Flags", flags));

        Assert.Equal((Trace, Span), (seen["X-B3-TraceId"], seen["X-B3-ParentSpanId"]));
        Assert.Matches("^[0-9a-f]{16}$", seen["X-B3-SpanId"]);
        Assert.NotEqual(Span, seen["X-B3-SpanId"]);
        Assert.Equal((sampledOn, flagsOn), (seen.GetValueOrDefault("X-B3-Sampled"), seen.GetValueOrDefault("X-B3-Flags")));
        Assert.False(seen.ContainsKey("traceparent"));
    }

    [Theory]
    [InlineData("1", "1", "01")]
    [InlineData("0", "0", "00")]
    public async Task B3_may_decide_about_a_trace_that_is_still_to_begin(string sent, string passed, string flags)
    {
        var (seen, _) = await SeenAsync(TraceHeaders.W3C | TraceHeaders.B3, ("b3", sent));
        Assert.EndsWith($"-{flags}", seen["traceparent"], StringComparison.Ordinal);
        Assert.EndsWith($"-{passed}", seen["b3"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(Trace + "-" + Span + "-x")]
    [InlineData(Trace + "-" + Span + "1")]
    [InlineData("4BF92F3577B34DA6A3CE929D0E0E4736-" + Span + "-1")]
    [InlineData("0000000000000000-" + Span + "-1")]
    public async Task What_is_no_B3_is_not_passed_on(string sent)
    {
        var (seen, _) = await SeenAsync(TraceHeaders.W3C | TraceHeaders.B3, ("b3", sent));
        Assert.NotEqual(sent, seen["b3"]);
        Assert.DoesNotContain(Span, seen["b3"], StringComparison.Ordinal);
        Assert.EndsWith("-00", seen["traceparent"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_B3_its_fields_are_a_clients_own_and_decide_nothing()
    {
        var (seen, _) = await SeenAsync(TraceHeaders.W3C, ("b3", $"{Trace}-{Span}-1"));
        Assert.Equal($"{Trace}-{Span}-1", seen["b3"]);
        Assert.DoesNotContain(Trace, seen["traceparent"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task W3C_goes_before_B3()
    {
        var (seen, _) = await SeenAsync(
            TraceHeaders.W3C | TraceHeaders.B3, ("traceparent", $"00-{Trace}-{Span}-01"),
            ("b3", "a3ce929d0e0e4736a3ce929d0e0e4736-0000000000000001-0"));
        Assert.StartsWith($"00-{Trace}-", seen["traceparent"], StringComparison.Ordinal);
        Assert.StartsWith($"{Trace}-", seen["b3"], StringComparison.Ordinal);
        Assert.EndsWith($"-1-{Span}", seen["b3"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_the_outermost_gateway_names_the_request()
    {
        await using var inner = await WebInstance.StartAsync(context =>
        {
            context.Response.Headers["Groundwork-Request-Id"] = "1111111111111111";
            return Task.CompletedTask;
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(inner.Address);
        using var answer = await edge.Client.GetAsync("/");
        Assert.NotEqual("1111111111111111", Assert.Single(answer.Headers.GetValues("Groundwork-Request-Id")));
    }

    private static async Task<(IReadOnlyDictionary<string, string> Seen, HttpResponseMessage Answer)> SeenAsync(
        TraceHeaders headers, params (string Name, string? Value)[] fields)
    {
        await using var instance = await WebInstance.StartAsync(context => context.Response.WriteAsJsonAsync(
            context.Request.Headers.ToDictionary(field => field.Key, field => field.Value.ToString())));
        await using var edge = await TestEdge.StartAsync(new GatewayOptions { TraceHeaders = headers });
        edge.RouteAll().Instances(instance.Address);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        foreach (var (name, value) in fields)
            if (value is not null) request.Headers.TryAddWithoutValidation(name, value);
        var answer = await edge.Client.SendAsync(request);
        var seen = JsonSerializer.Deserialize<Dictionary<string, string>>(await answer.Content.ReadAsStringAsync())!;
        return (new Dictionary<string, string>(seen, StringComparer.OrdinalIgnoreCase), answer);
    }
}
