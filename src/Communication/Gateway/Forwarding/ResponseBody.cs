using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Groundwork.Communication.Gateway.Forwarding;

/// <summary>How an answer's body ended.</summary>
internal enum BodyEnd { Complete, InstanceFailed, ClientGone }

/// <summary>An answer's body on its way to the client: piece by piece, each passed on as it comes.</summary>
internal static class ResponseBody
{
    /// <summary>Bytes of one piece: most answers fit in one.</summary>
    private const int BufferBytes = 32 * 1024;

    public static async Task<BodyEnd> CopyAsync(Stream from, HttpResponse to, Deadline deadline, TimeSpan idle)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        var idleBuffer = true; // False while a read may still write into it: such a one is never given back.
        try
        {
            for (; ; )
            {
                deadline.Arm(idle);
                idleBuffer = false;
                var reading = from.ReadAsync(buffer, deadline.Token);
                // The head must not wait for a body that comes later; one that is here already goes out with it.
                if (!reading.IsCompleted && !to.HasStarted && !await StartAsync(to, deadline))
                    return BodyEnd.ClientGone;
                var count = await reading;
                idleBuffer = true;
                deadline.Disarm();
                if (count == 0) return BodyEnd.Complete;
                if (!await WriteAsync(to, buffer.AsMemory(0, count), deadline)) return BodyEnd.ClientGone;
            }
        }
        catch (Exception fault) when (fault is IOException or HttpRequestException or OperationCanceledException)
        {
            return deadline.ClientGone ? BodyEnd.ClientGone : BodyEnd.InstanceFailed;
        }
        finally
        {
            if (idleBuffer) ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static async Task<bool> StartAsync(HttpResponse to, Deadline deadline)
    {
        try
        {
            await to.Body.FlushAsync(deadline.Token); // Starting alone would leave the head in a buffer.
            return true;
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException)
        {
            return false;
        }
    }

    // Kept apart so that a failure to write is not taken for the instance's.
    private static async Task<bool> WriteAsync(HttpResponse to, ReadOnlyMemory<byte> piece, Deadline deadline)
    {
        try
        {
            await to.Body.WriteAsync(piece, deadline.Token);
            return true;
        }
        catch (Exception fault) when (fault is IOException or OperationCanceledException)
        {
            return false;
        }
    }
}
