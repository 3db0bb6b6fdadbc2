using System.Buffers;
using Groundwork.Kernel.Storage;
using Groundwork.Wire.Grpc;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Logging;

namespace Groundwork.Kernel.Hosting.Rpc;

/// <summary>
/// One call of gRPC on a listener of <see cref="ListenerProtocol.Grpc"/>: messages in, messages out, a status at the
/// end.
/// One reads and one writes at a time.
/// </summary>
public sealed partial class GrpcCall
{
    /// <summary>Bytes that a stream of messages may have in all; each message has a bound of its own.</summary>
    public const long MaxStreamBytes = 1L << 40;

    private const string MediaType = "application/grpc";
    private readonly int maxMessageBytes;

    private GrpcCall(HttpContext context, int maxMessageBytes)
    {
        Context = context;
        this.maxMessageBytes = maxMessageBytes;
    }

    public HttpContext Context { get; }

    /// <summary>The client has gone.</summary>
    public CancellationToken Aborted => Context.RequestAborted;

    /// <summary>
    /// An endpoint of gRPC. What the handler throws as <see cref="GrpcException"/> is the call's status.
    /// </summary>
    /// <param name="maxMessageBytes">A longer message is refused unread.</param>
    public static RequestDelegate Handle(Func<GrpcCall, Task> handle, int maxMessageBytes, ILogger logger) =>
        async context =>
        {
            if (context.Request.ContentType?.StartsWith(MediaType, StringComparison.OrdinalIgnoreCase) != true)
            {
                context.Response.StatusCode = StatusCodes.Status415UnsupportedMediaType;
                return;
            }
            // A stream is silent for as long as nothing happens.
            if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
            context.Response.ContentType = MediaType;
            var (status, text) = await RunAsync(new GrpcCall(context, maxMessageBytes), handle, logger);
            if (context.RequestAborted.IsCancellationRequested) return;
            context.Response.AppendTrailer("grpc-status", $"{(int)status}");
            if (text.Length > 0) context.Response.AppendTrailer("grpc-message", GrpcFrames.EncodeText(text));
        };

    /// <summary>The next message; null when the client has sent its last.</summary>
    /// <exception cref="GrpcException">It is none, or too long.</exception>
    public async ValueTask<T?> ReadAsync<T>(
        Func<ReadOnlySequence<byte>, T> parse, CancellationToken cancellationToken)
        where T : class
    {
        var reader = Context.Request.BodyReader;
        while (true)
        {
            var read = await reader.ReadAsync(cancellationToken);
            var buffer = read.Buffer;
            var found = GrpcFrames.TryTake(ref buffer, maxMessageBytes, out var message);
            if (found == GrpcFrames.Found.TooLittle)
            {
                reader.AdvanceTo(buffer.Start, buffer.End);
                if (!read.IsCompleted) continue;
                return buffer.IsEmpty ? null : throw Refuse(GrpcFrames.Found.Malformed);
            }
            try
            {
                return found == GrpcFrames.Found.Message ? parse(message) : throw Refuse(found);
            }
            finally
            {
                reader.AdvanceTo(buffer.Start);
            }
        }
    }

    /// <summary>Sends a message and does not wait for it to be read.</summary>
    /// <param name="size">Its bytes.</param>
    /// <param name="write">Writes exactly so many.</param>
    public async ValueTask WriteAsync(int size, Action<IBufferWriter<byte>> write, CancellationToken cancellationToken)
    {
        var writer = Context.Response.BodyWriter;
        GrpcFrames.WriteHead(writer, size);
        write(writer);
        await writer.FlushAsync(cancellationToken);
    }

    /// <summary>Tells the client that the call is accepted, before there is a message.</summary>
    public async Task AcceptAsync()
    {
        await Context.Response.StartAsync(Aborted);
        // The server keeps the head until something follows it, which may be never.
        await Context.Response.BodyWriter.FlushAsync(Aborted);
    }

    private static async Task<(GrpcStatus Status, string Text)> RunAsync(
        GrpcCall call, Func<GrpcCall, Task> handle, ILogger logger)
    {
        try
        {
            await handle(call);
            return (GrpcStatus.Ok, "");
        }
        catch (GrpcException refusal)
        {
            return (refusal.Status, refusal.Message);
        }
        catch (StorageException failure)
        {
            return (GrpcStatus.Unavailable, failure.Fault.Detail);
        }
        catch (BadHttpRequestException bad)
        {
            return (GrpcStatus.InvalidArgument, bad.Message);
        }
        catch (Exception) when (call.Aborted.IsCancellationRequested)
        {
            return (GrpcStatus.Cancelled, ""); // Nobody reads it.
        }
        catch (Exception failure)
        {
            LogFailure(logger, call.Context.Request.Path, failure);
            return (GrpcStatus.Internal, "The call failed inside the platform.");
        }
    }

    private GrpcException Refuse(GrpcFrames.Found found) => found switch
    {
        GrpcFrames.Found.TooLarge => new GrpcException(
            GrpcStatus.ResourceExhausted, $"A message is longer than {maxMessageBytes} bytes."),
        GrpcFrames.Found.Compressed => new GrpcException(
            GrpcStatus.Unimplemented, "Compressed messages are not understood."),
        _ => new GrpcException(GrpcStatus.Internal, "The body is not made of whole messages."),
    };

    [LoggerMessage(Level = LogLevel.Error, Message = "The call {Path} failed inside the platform")]
    private static partial void LogFailure(ILogger logger, PathString path, Exception failure);
}

/// <summary>Ends a call of gRPC with a status.</summary>
public sealed class GrpcException(GrpcStatus status, string message) : Exception(message)
{
    public GrpcStatus Status { get; } = status;
}
