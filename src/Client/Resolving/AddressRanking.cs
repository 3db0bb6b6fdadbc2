using System.Net;
using System.Net.Sockets;

namespace Groundwork.Client.Resolving;

/// <summary>Puts addresses in the order in which they connect.</summary>
internal static class AddressRanking
{
    /// <summary>An address that has not connected by then comes last.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    public static async Task<List<IPAddress>> RankAsync(
        IReadOnlyList<IPAddress> addresses, int port, TimeProvider time, CancellationToken cancellationToken)
    {
        var times = await Task.WhenAll(
            addresses.Select(address => MeasureAsync(address, port, time, cancellationToken)));
        return [.. addresses.Zip(times).OrderBy(pair => pair.Second).Select(pair => pair.First)];
    }

    private static async Task<TimeSpan> MeasureAsync(
        IPAddress address, int port, TimeProvider time, CancellationToken cancellationToken)
    {
        using var bound = new CancellationTokenSource(Longest, time);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(bound.Token, cancellationToken);
        using var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        var started = time.GetTimestamp();
        try
        {
            await socket.ConnectAsync(new IPEndPoint(address, port), patience.Token);
            return time.GetElapsedTime(started);
        }
        catch (Exception failure) when (failure is SocketException or OperationCanceledException)
        {
            return TimeSpan.MaxValue; // It stays in the list, for the day when the others are gone.
        }
    }
}
