using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Groundwork.Communication.Gateway;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Inspection;

/// <summary>Sends a corpus through a real gateway that blocks, and counts what comes through.</summary>
internal sealed class CorpusRun : IAsyncDisposable
{
    private readonly WebInstance instance;
    private readonly TestEdge edge;
    private readonly Socket client = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] buffer = new byte[8 * 1_024];

    private CorpusRun(WebInstance instance, TestEdge edge)
    {
        this.instance = instance;
        this.edge = edge;
        client.ReceiveTimeout = 20_000;
    }

    public TestEdge Edge => edge;

    public static async Task<CorpusRun> StartAsync(InspectSpec spec)
    {
        var service = await WebInstance.StartAsync(async context =>
        {
            context.Response.ContentLength = 6;
            await context.Response.WriteAsync("passed");
        });
        var run = new CorpusRun(service, await TestEdge.StartAsync());
        run.edge.RouteAll(route => route with { Inspect = spec }).Instances(service.Address);
        await run.client.ConnectAsync(new IPEndPoint(IPAddress.Loopback, run.edge.Address.Port));
        return run;
    }

    /// <summary>Those of the cases that do not come through.</summary>
    public List<CorpusCase> Stopped(IEnumerable<CorpusCase> cases)
    {
        var stopped = new List<CorpusCase>();
        foreach (var one in cases)
        {
            var before = instance.Requests;
            var answer = Ask(one);
            var passed = instance.Requests > before;
            if (passed) continue;
            Assert.True(
                answer.Contains("\"inspection_refused\"", StringComparison.Ordinal), $"{one}: {answer}");
            stopped.Add(one);
        }
        return stopped;
    }

    // Sends a request and reads the answer, which has a length.
    private string Ask(CorpusCase one)
    {
        try
        {
            return Ask(one.ToRequest());
        }
        catch (Exception fault)
        {
            throw new InvalidDataException($"{one.How} {one.Text}", fault);
        }
    }

    private string Ask(byte[] request)
    {
        client.Send(request);
        var text = new StringBuilder();
        var needed = int.MaxValue;
        while (text.Length < needed)
        {
            var count = client.Receive(buffer);
            if (count == 0) throw new IOException($"The gateway closed after: {text}");
            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            if (needed == int.MaxValue) needed = LengthOf(text.ToString());
        }
        return text.ToString();
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await edge.DisposeAsync();
        await instance.DisposeAsync();
    }

    private static int LengthOf(string text)
    {
        var end = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return int.MaxValue;
        const string name = "Content-Length: ";
        var at = text.IndexOf(name, StringComparison.OrdinalIgnoreCase);
        if (at < 0 || at > end)
        {
            if (!text[..end].Contains("chunked", StringComparison.OrdinalIgnoreCase)) return end + 4;
            var last = text.IndexOf("\r\n0\r\n\r\n", end + 2, StringComparison.Ordinal);
            return last < 0 ? int.MaxValue : last + 7;
        }
        var stop = text.IndexOf('\r', at);
        return end + 4 + int.Parse(
            text.AsSpan(at + name.Length, stop - at - name.Length), CultureInfo.InvariantCulture);
    }
}
