using System.Buffers;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Groundwork.Communication.Gateway;
using Groundwork.Communication.Gateway.Recording;
using Groundwork.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Tests.Gateway.Recording;

public sealed class AccessLogTests : IDisposable
{
    private const string Secret = "hunter2";

    private readonly TemporaryDirectory directory = new();

    public void Dispose() => directory.Dispose();

    [Fact]
    public async Task Each_request_has_a_line_of_json_with_its_trace_and_none_of_its_secrets()
    {
        await using var instance = await WebInstance.NamedAsync("12345");
        string[] lines;
        string id;
        await using (var edge = await StartAsync(new AccessLogOptions(Path)))
        {
            edge.RouteAll().Instances(instance.Address);
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/a/b?password={Secret}")
            {
                Content = new StringContent("abc"),
            };
            request.Headers.Add("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
            request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {Secret}");
            request.Headers.TryAddWithoutValidation("Cookie", $"session={Secret}");
            request.Headers.TryAddWithoutValidation("Referer", $"https://shop.example/cart?token={Secret}");
            request.Headers.TryAddWithoutValidation("User-Agent", "a \"quoted\\ agent");
            using var answer = await edge.Client.SendAsync(request);
            id = answer.Headers.GetValues("Groundwork-Request-Id").Single();
            lines = await LinesAsync(1);
        }

        var line = JsonDocument.Parse(Assert.Single(lines)).RootElement;
        Assert.Equal("4bf92f3577b34da6a3ce929d0e0e4736", line.GetProperty("trace").GetString());
        Assert.Equal(id, line.GetProperty("request").GetString());
        Assert.Equal(
            ("127.0.0.1", "POST", "127.0.0.1", "/a/b", "HTTP/1.1"),
            (Text("client"), Text("method"), Text("host"), Text("path"), Text("protocol")));
        Assert.Equal(
            ("default/all", instance.Address.ToString(), "https://shop.example/cart", "a \"quoted\\ agent"),
            (Text("route"), Text("instance"), Text("referer"), Text("agent")));
        Assert.Equal(
            (200, 3, 5, 1),
            (Number("status"), Number("bytesIn"), Number("bytesOut"), Number("attempts")));
        Assert.InRange(line.GetProperty("ms").GetDouble(), 0, 60_000);
        Assert.False(line.TryGetProperty("code", out _));
        Assert.DoesNotContain(Secret, lines[0], StringComparison.Ordinal);

        string? Text(string name) => line.GetProperty(name).GetString();
        int Number(string name) => line.GetProperty(name).GetInt32();
    }

    [Fact]
    public async Task The_combined_format_is_what_readers_of_nginx_logs_expect()
    {
        await using var edge = await StartAsync(new AccessLogOptions(Path, AccessLogFormat.Combined));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/nothing?a=b");
        request.Headers.TryAddWithoutValidation("User-Agent", "a \"x\"");
        using var answer = await edge.Client.SendAsync(request);

        var line = Assert.Single(await LinesAsync(1));
        TestContext.Current.TestOutputHelper?.WriteLine(line);
        Assert.Matches(
            "^127\\.0\\.0\\.1 - - \\[\\d\\d/[A-Z][a-z][a-z]/\\d{4}:\\d\\d:\\d\\d:\\d\\d \\+0000\\] \"GET /nothing HTTP/1\\.1\" "
            + "404 \\d+ \"-\" \"[^\"]*\" trace=[0-9a-f]{32} request=[0-9a-f]{16} host=127\\.0\\.0\\.1 route=- instance=- "
            + "code=host_unknown ms=\\d+\\.\\d{3}$", line);
        Assert.Contains("\\x22x\\x22", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_route_can_be_left_out()
    {
        await using var edge = await StartAsync(new AccessLogOptions(Path));
        var match = new MatchSpec(["127.0.0.1"], "/probe");
        edge.Snapshots.Put(Routes.Resource("probe", new RouteSpec(
            match, Respond: new AnswerSpec(200, "ok"), Observe: new ObserveSpec(AccessLog: false))));
        edge.Snapshots.Put(Routes.Resource("page", new RouteSpec(
            match with { Path = "/page" }, Respond: new AnswerSpec(200, "ok"))));
        await edge.Client.GetStringAsync("/probe");
        await edge.Client.GetStringAsync("/page");

        Assert.Contains("/page", Assert.Single(await LinesAsync(1)), StringComparison.Ordinal);
    }

    /// <summary>Whatever a client sends: one request is one line, and JSON is JSON.</summary>
    [Fact]
    public void No_bytes_of_a_client_make_a_second_line_or_leave_their_text()
    {
        byte[][] texts =
        [
            "a\nb"u8.ToArray(), "a\r\n127.0.0.1 - - \"GET / HTTP/1.1\" 200"u8.ToArray(), "\",\"status\":200,\""u8.ToArray(),
            "\\"u8.ToArray(), "\\\""u8.ToArray(), [0, 1, 2, 0x1b, (byte)'[', (byte)'2', (byte)'J', 0x7f],
            [0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80], [0xe2, 0x80, 0xa8, 0xe2, 0x80, 0xa9, 0xc2, 0x85, 0xc2, 0x9b],
            [.. Enumerable.Range(0, 256).Select(value => (byte)value)], Encoding.UTF8.GetBytes("café 網"),
        ];
        foreach (var text in texts)
        {
            var entry = Entry(text);
            var json = new ArrayBufferWriter<byte>();
            AccessLine.WriteJson(entry, json);
            var combined = new ArrayBufferWriter<byte>();
            AccessLine.WriteCombined(entry, combined);
            foreach (var line in new[] { json.WrittenSpan.ToArray(), combined.WrittenSpan.ToArray() })
            {
                Assert.Equal((byte)'\n', line[^1]);
                Assert.DoesNotContain(line[..^1], value => value is < 0x20 or 0x7f);
                // Nor what a reader of Unicode takes for an end of a line.
                Assert.DoesNotContain(Encoding.UTF8.GetString(line), value => value is '\u2028' or '\u2029' or '\u0085');
            }
            var read = JsonDocument.Parse(json.WrittenMemory).RootElement;
            Assert.Equal(200, read.GetProperty("status").GetInt32());
            Assert.Equal(Encoding.UTF8.GetString(text), read.GetProperty("agent").GetString());
            // A text in quotes ends at the first quote: six of them, and those are ours.
            Assert.Equal(6, combined.WrittenSpan.Count((byte)'"'));
        }
    }

    [Fact]
    public async Task A_full_file_is_put_aside_and_the_oldest_goes()
    {
        await using (var edge = await StartAsync(new AccessLogOptions(Path) { MaxFileBytes = 500, KeptFiles = 2 }))
        {
            for (var round = 0; round < 5; round++)
            {
                await edge.Client.GetAsync($"/round{round}");
                await edge.Client.GetAsync($"/round{round}");
                await Eventually.TrueAsync(
                    () => edge.Module.Seen.Recorder.Log!.Written == (round + 1) * 2, "both lines are written");
            }
        }
        Assert.Equal(
            ["access.log", "access.log.1", "access.log.2"],
            Directory.GetFiles(directory.Path).Select(System.IO.Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Contains("/round4", await File.ReadAllTextAsync(Path), StringComparison.Ordinal);
        Assert.DoesNotContain("/round0", await File.ReadAllTextAsync(Path + ".2"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_is_moved_away_is_begun_anew()
    {
        await using var edge = await StartAsync(new AccessLogOptions(Path));
        await edge.Client.GetAsync("/before");
        await LinesAsync(1);

        File.Move(Path, Path + ".moved");

        await Eventually.TrueAsync(async () =>
        {
            await edge.Client.GetAsync("/after");
            return File.Exists(Path) && (await File.ReadAllTextAsync(Path)).Contains("/after", StringComparison.Ordinal);
        }, "the file is there again");
        Assert.Contains("/before", await File.ReadAllTextAsync(Path + ".moved"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_that_find_no_room_are_dropped_and_counted_and_requests_go_on()
    {
        // A pipe that nobody reads: the writer waits for it for ever.
        var pipe = directory.Combine("pipe");
        Assert.Equal(0, MakePipe(pipe, Convert.ToUInt32("600", 8)));
        await using var reader = new FileStream(
            pipe, new FileStreamOptions { Mode = FileMode.Open, Access = FileAccess.ReadWrite, BufferSize = 0 });
        await using var edge = await StartAsync(new AccessLogOptions(pipe) { BufferBytes = 16 * 1024 });
        edge.RouteAll(spec => spec with { Service = null, Respond = new AnswerSpec(200, "ok") });

        await Eventually.TrueAsync(async () =>
        {
            Assert.Equal("ok", await edge.Client.GetStringAsync("/" + new string('x', 1000)));
            return edge.Module.Seen.Recorder.Log!.Dropped > 10;
        }, "lines are dropped");

        // Read it empty: what comes then is written again.
        using var stop = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            var buffer = new byte[64 * 1024];
            while (!stop.IsCancellationRequested)
                if (await reader.ReadAsync(buffer, CancellationToken.None) is 0) return;
        });
        var dropped = edge.Module.Seen.Recorder.Log!.Dropped;
        var written = edge.Module.Seen.Recorder.Log!.Written;
        await Eventually.TrueAsync(async () =>
        {
            await edge.Client.GetStringAsync("/short");
            return edge.Module.Seen.Recorder.Log!.Written > written + 20;
        }, "lines are written again");
        Assert.True(edge.Module.Seen.Recorder.Log!.Dropped >= dropped);
        await stop.CancelAsync();
        await edge.Client.GetStringAsync("/last"); // The read that is under way ends with this line.
        await reading;
    }

    private string Path => directory.Combine("access.log");

    private static Task<TestEdge> StartAsync(AccessLogOptions log) =>
        TestEdge.StartAsync(new GatewayOptions { AccessLog = log });

    private Task<string[]> LinesAsync(int count) => Eventually.ValueAsync(
        async () => File.Exists(Path) ? await File.ReadAllLinesAsync(Path) : [],
        lines => lines.Length >= count, $"{count} lines");

    // As the log makes one, with the text wherever a client can write.
    private static byte[] Entry(byte[] text)
    {
        var head = new AccessEntry { Status = 200, Protocol = 1, Path = (ushort)text.Length, Agent = (ushort)text.Length };
        byte[] all = [.. MemoryMarshal.AsBytes([head]), .. Encoding.ASCII.GetBytes(new string('0', 48)), .. text, .. text];
        MemoryMarshal.Write(all, all.Length);
        return all;
    }

    [DllImport("libc", EntryPoint = "mkfifo", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int MakePipe(string path, uint mode);
}
