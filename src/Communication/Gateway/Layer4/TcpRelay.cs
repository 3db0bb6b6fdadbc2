using System.Buffers;
using System.Net.Security;
using System.Net.Sockets;
using Groundwork.Communication.Gateway.Timing;

namespace Groundwork.Communication.Gateway.Layer4;

/// <summary>
/// Passes bytes both ways. The end of one direction is passed on, and the other goes on until it ends too; nothing in
/// either for the idle time ends both.
/// </summary>
internal sealed class TcpRelay(TcpConnection owner, Deadline limit, TimeSpan idle)
{
    /// <summary>Bytes of one piece.</summary>
    private const int PieceBytes = 16 * 1024;

    public async Task RunAsync(Stream client, Socket clientSocket, Stream instance, Socket instanceSocket)
    {
        limit.Arm(idle, owner);
        await Task.WhenAll(
            PassAsync(client, instance, instanceSocket), PassAsync(instance, client, clientSocket));
        limit.Disarm();
    }

    private async Task PassAsync(Stream from, Stream to, Socket toSocket)
    {
        var piece = ArrayPool<byte>.Shared.Rent(PieceBytes);
        try
        {
            int count;
            while ((count = await from.ReadAsync(piece)) > 0)
            {
                await to.WriteAsync(piece.AsMemory(0, count));
                limit.Arm(idle, owner);
            }
            if (to is SslStream secured) await secured.ShutdownAsync();
            toSocket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception broken) when (broken is IOException or SocketException or ObjectDisposedException)
        {
            // What has broken in one direction is of no use in the other.
            owner.Abort();
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(piece);
        }
    }
}
