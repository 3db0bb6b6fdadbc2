
namespace Groundwork.Communication.Tests.Gateway.Forwarding;

/// <summary>
/// Requests that two servers could cut at different places. Each is followed by a second request inside its bytes; the
/// instance must never see that one, and the connection must end with the refusal.
/// </summary>
public sealed class SmugglingTests
{
    private const string Hidden = "GET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";

    public static TheoryData<string, string> Attacks => new()
    {
        { "two different lengths", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nContent-Length: "
            + $"{Hidden.Length}\r\n\r\n{Hidden}" },
        { "a negative length", $"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n{Hidden}" },
        { "a list of lengths",
            $"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0, {Hidden.Length}\r\n\r\n{Hidden}" },
        { "a length too large",
            $"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\n\r\n{Hidden}" },
        { "a coding that is not chunked",
            $"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{Hidden}" },
        { "chunked not last",
            $"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{Hidden}" },
        { "a coding with a blank before the colon",
            $"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n{Hidden}" },
        { "a folded header",
            $"POST / HTTP/1.1\r\nHost: localhost\r\nX-A: 1\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n{Hidden}" },
        { "a blank first header", $"POST / HTTP/1.1\r\n Host: localhost\r\n\r\n{Hidden}" },
        { "a lone line feed in a chunk extension",
            $"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0;\n{Hidden}" },
        { "a lone carriage return in a value",
            $"POST / HTTP/1.1\r\nHost: localhost\r\nX-A: 1\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{Hidden}" },
        { "a chunk size that is none",
            $"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n{Hidden}" },
        { "two hosts", $"GET / HTTP/1.1\r\nHost: localhost\r\nHost: other\r\n\r\n{Hidden}" },
        { "no host", $"GET / HTTP/1.1\r\n\r\n{Hidden}" },
        { "two stories about the host", $"GET http://other/ HTTP/1.1\r\nHost: localhost\r\n\r\n{Hidden}" },
        { "a NUL in a value", $"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: a\0b\r\n\r\n{Hidden}" },
    };

    [Theory]
    [MemberData(nameof(Attacks))]
    public async Task A_request_that_can_be_cut_in_two_ways_is_refused(string attack, string bytes)
    {
        var paths = new System.Collections.Concurrent.ConcurrentQueue<string>();
        await using var instance = await WebInstance.StartAsync(async context =>
        {
            paths.Enqueue(context.Request.Path);
            await context.Request.Body.CopyToAsync(Stream.Null);
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(bytes);

        var answer = await client.ReadToEndAsync();

        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 4", StringComparison.Ordinal)
            || answer.StartsWith("HTTP/1.1 501", StringComparison.Ordinal), $"{attack}: {answer}");
        Assert.DoesNotContain("/hidden", paths);
    }

    [Fact]
    public async Task A_length_beside_chunks_is_refused_and_ends_the_connection()
    {
        await using var instance = await WebInstance.NamedAsync("never");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: "
            + $"chunked\r\n\r\n0\r\n\r\n{Hidden}");

        var answer = await client.ReadToEndAsync();

        Assert.StartsWith("HTTP/1.1 400 ", answer);
        Assert.Equal(answer.IndexOf(
            "HTTP/1.1", StringComparison.Ordinal), answer.LastIndexOf("HTTP/1.1", StringComparison.Ordinal));
        Assert.Equal(0, instance.Requests);
    }

    // The server takes a sign for part of the number. We write the number anew, so that nobody behind us reads it
    // otherwise.
    [Fact]
    public async Task A_signed_length_is_passed_on_without_its_sign()
    {
        string? seen = null;
        await using var instance = RawInstance.Start(async connection =>
        {
            seen = await connection.ReadHeadAsync();
            await connection.ReadUntilAsync(Hidden);
            await connection.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        });
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
            + $"+{Hidden.Length}\r\nConnection: close\r\n\r\n{Hidden}");
        var answer = await client.ReadToEndAsync();
        if (answer.StartsWith("HTTP/1.1 200 ", StringComparison.Ordinal))
            Assert.Contains($"\r\nContent-Length: {Hidden.Length}\r\n", seen, StringComparison.Ordinal);
        else Assert.StartsWith("HTTP/1.1 400 ", answer);
    }

    [Theory]
    [InlineData("CONNECT localhost:80 HTTP/1.1\r\nHost: localhost:80\r\n\r\n")]
    [InlineData("TRACE / HTTP/1.1\r\nHost: localhost\r\n\r\n")]
    public async Task Methods_that_are_for_proxies_are_refused(string request)
    {
        await using var instance = await WebInstance.NamedAsync("never");
        await using var edge = await TestEdge.StartAsync();
        edge.RouteAll().Instances(instance.Address);
        using var client = await RawConnection.ToAsync(edge.Address);
        await client.WriteAsync(request);
        Assert.Contains("method_not_allowed", await client.ReadAnswerAsync(), StringComparison.Ordinal);
        Assert.Equal(0, instance.Requests);
    }
}
