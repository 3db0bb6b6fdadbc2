using System.Text;
using Groundwork.Load.Wire;

namespace Groundwork.Load.Peers;

/// <summary>An etcd of one member from the PATH, on a directory of its own, with its defaults.</summary>
internal sealed class EtcdServer : IAsyncDisposable
{
    private readonly DirectoryInfo directory;

    private EtcdServer(ServerProcess process, int port, DirectoryInfo directory)
    {
        Process = process;
        Port = port;
        this.directory = directory;
    }

    public ServerProcess Process { get; }

    public int Port { get; }

    public static async Task<EtcdServer> StartAsync()
    {
        var owned = Directory.CreateTempSubdirectory("groundwork-load-etcd-");
        var (client, peer) = (LoopbackPort.Free(), LoopbackPort.Free());
        var process = ServerProcess.Start(
            "etcd",
            [
                "--data-dir", owned.FullName,
                "--listen-client-urls", $"http://127.0.0.1:{client}",
                "--advertise-client-urls", $"http://127.0.0.1:{client}",
                "--listen-peer-urls", $"http://127.0.0.1:{peer}",
                "--initial-advertise-peer-urls", $"http://127.0.0.1:{peer}",
                "--initial-cluster", $"default=http://127.0.0.1:{peer}",
                "--log-level", "error",
            ]);
        await LoopbackPort.ConnectableAsync(client);
        return new EtcdServer(process, client, owned);
    }

    public Task<GrpcConnection> ConnectAsync() => GrpcConnection.OpenAsync("/etcdserverpb.KV/Put", Port);

    /// <summary>A PutRequest: key is field 1, value field 2.</summary>
    public static byte[] Put(string key, string value)
    {
        var message = new MemoryStream();
        WriteField(message, 1, Encoding.UTF8.GetBytes(key));
        WriteField(message, 2, Encoding.UTF8.GetBytes(value));
        return message.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        directory.Delete(recursive: true);
    }

    private static void WriteField(MemoryStream output, int field, byte[] bytes)
    {
        output.WriteByte((byte)((field << 3) | 2));
        for (var length = bytes.Length; ; length >>= 7)
        {
            output.WriteByte((byte)(length > 127 ? length | 0x80 : length));
            if (length <= 127) break;
        }
        output.Write(bytes);
    }
}
