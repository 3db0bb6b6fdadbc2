using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Groundwork.Tests.EndToEnd.Importing;

/// <summary>What an instance got.</summary>
internal sealed record Arrived(string Instance, string Target, IReadOnlyDictionary<string, string> Fields);

/// <summary>Instances with names, which keep what they get by the <c>X-Mark</c> of the request.</summary>
internal sealed class NamedInstances : IAsyncDisposable
{
    private readonly Dictionary<string, TcpListener> listeners = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Arrived> arrived = new(StringComparer.Ordinal);
    private readonly List<Task> serving = [];
    private readonly ConcurrentBag<Socket> open = [];

    public NamedInstances(params IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            listeners[name] = listener;
            serving.Add(AcceptAsync(name, listener));
        }
    }

    /// <summary>The text with addresses for names: whole words, as nginx reads them.</summary>
    public string Fill(string text)
    {
        foreach (var (name, listener) in listeners)
            foreach (var before in new[] { "server ", "http://" })
                foreach (var after in " ;/")
                    text = text.Replace(
                        $"{before}{name}{after}", $"{before}{listener.LocalEndpoint}{after}", StringComparison.Ordinal);
        return text;
    }

    public Arrived? Find(string mark) => arrived.GetValueOrDefault(mark);

    public async ValueTask DisposeAsync()
    {
        foreach (var listener in listeners.Values) listener.Stop();
        foreach (var socket in open) socket.Dispose();
        await Task.WhenAll(serving);
    }

    private async Task AcceptAsync(string name, TcpListener listener)
    {
        var connections = new List<Task>();
        try
        {
            for (; ; )
            {
                var socket = await listener.AcceptSocketAsync();
                open.Add(socket);
                connections.Add(ServeAsync(name, socket));
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections); // Stopped.
        }
    }

    private async Task ServeAsync(string name, Socket socket)
    {
        try
        {
            await using var stream = new NetworkStream(socket, ownsSocket: true);
            using var reader = new StreamReader(stream, Encoding.Latin1);
            while (await reader.ReadLineAsync() is { } line)
            {
                var fields = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
                while (await reader.ReadLineAsync() is { Length: > 0 } field)
                {
                    var colon = field.IndexOf(':', StringComparison.Ordinal);
                    var (key, value) = (field[..colon], field[(colon + 1)..].Trim());
                    fields[key] = fields.TryGetValue(key, out var before) ? $"{before} & {value}" : value;
                }
                var length = int.Parse(
                    fields.GetValueOrDefault("Content-Length", "0"), System.Globalization.CultureInfo.InvariantCulture);
                if (length > 0) await reader.ReadBlockAsync(new char[length], 0, length);
                arrived[fields.GetValueOrDefault("X-Mark", "")] = new Arrived(name, line.Split(' ')[1], fields);
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
                if (line.EndsWith("1.0", StringComparison.Ordinal)) return;
            }
        }
        catch (Exception end) when (end is IOException or ObjectDisposedException)
        {
            // The proxy or the test closed it.
        }
    }
}
