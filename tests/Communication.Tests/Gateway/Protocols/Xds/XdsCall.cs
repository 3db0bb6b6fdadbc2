using System.Buffers.Binary;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;
using Groundwork.Communication.Gateway.Protocols.Xds;
using Groundwork.Communication.Gateway.Protocols.Xds.Messages;
using Groundwork.Kernel.Hosting;
using Groundwork.Tests.Support;
using Node = Groundwork.Communication.Gateway.Protocols.Xds.Messages.Node;

namespace Groundwork.Communication.Tests.Gateway.Protocols.Xds;

/// <summary>One stream of the discovery service, byte by byte.</summary>
internal sealed class XdsCall : HttpContent
{
    private readonly TaskCompletionSource<Stream> writing = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource written = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HttpResponseMessage answer = null!; // Set by OpenAsync.
    private Stream body = null!; // The same.

    private XdsCall() => Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

    /// <summary>Waits until the node has accepted it, or refused it.</summary>
    public static async Task<XdsCall> OpenAsync(HttpClient client)
    {
        var call = new XdsCall();
        var request = new HttpRequestMessage(HttpMethod.Post, XdsApi.Path)
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = call,
        };
        call.answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)
            .WaitAsync(Eventually.Patience);
        Assert.Equal(HttpStatusCode.OK, call.answer.StatusCode);
        call.body = await call.answer.Content.ReadAsStreamAsync();
        return call;
    }

    /// <summary>Many connections, so that many streams can be open at once.</summary>
    public static HttpClient Client(RunningNode node) => new(
        new SocketsHttpHandler { EnableMultipleHttp2Connections = true })
    {
        BaseAddress = node.Node.Listeners.UrlOf(ProtocolListeners.GrpcName),
    };

    public async Task SendAsync(byte[] bytes)
    {
        var stream = await writing.Task;
        await stream.WriteAsync(bytes);
        await stream.FlushAsync();
    }

    public Task SendAsync(DiscoveryRequest request) => SendAsync(Frame(request.ToByteArray()));

    /// <summary>Asks for these of a type.</summary>
    public Task AskAsync(XdsType type, params string[] names) => SendAsync(Request(XdsTypes.UrlOf(type), names));

    /// <summary>Takes an answer as a client does, or refuses it.</summary>
    public Task AcknowledgeAsync(DiscoveryResponse taken, string? refusal = null, params string[] names)
    {
        var request = Request(taken.TypeUrl, names);
        (request.ResponseNonce, request.VersionInfo) = (taken.Nonce, taken.VersionInfo);
        if (refusal is not null) request.ErrorDetail = new Status { Code = 3, Message = refusal };
        return SendAsync(request);
    }

    /// <summary>The next answer; null at the end.</summary>
    public async Task<DiscoveryResponse?> ReadAsync()
    {
        var head = new byte[5];
        if (await body.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false).AsTask()
            .WaitAsync(Eventually.Patience) == 0) return null;
        var message = new byte[BinaryPrimitives.ReadInt32BigEndian(head.AsSpan(1))];
        await body.ReadExactlyAsync(message);
        return DiscoveryResponse.Parser.ParseFrom(message);
    }

    /// <summary>The next answer, which must be of this type; the resources' bytes.</summary>
    public async Task<(DiscoveryResponse Answer, ByteString[] Resources)> ReadAsync(XdsType type)
    {
        var next = await ReadAsync() ?? throw new InvalidDataException($"The stream ended: {Status()}");
        Assert.Equal(XdsTypes.UrlOf(type), next.TypeUrl);
        return (next, [.. next.Resources.Select(one => one.Value)]);
    }

    /// <summary>The status with which the node ends the stream.</summary>
    public async Task<int> EndAsync()
    {
        while (await ReadAsync() is not null)
        {
            // What was under way before.
        }
        return Status();
    }

    /// <summary>The client has no more to say.</summary>
    public void Complete() => written.TrySetResult();

    /// <summary>A message as it is sent.</summary>
    public static byte[] Frame(byte[] message)
    {
        var framed = new byte[5 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), message.Length);
        message.CopyTo(framed, 5);
        return framed;
    }

    public static DiscoveryRequest Request(string typeUrl, params IEnumerable<string> names)
    {
        var request = new DiscoveryRequest { TypeUrl = typeUrl, Node = new Node { Id = "node\n1" } };
        request.ResourceNames.AddRange(names);
        return request;
    }

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await stream.FlushAsync();
        writing.SetResult(stream);
        await written.Task;
    }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override void Dispose(bool disposing)
    {
        written.TrySetResult();
        if (disposing) answer?.Dispose();
        base.Dispose(disposing);
    }

    private int Status()
    {
        var status = answer.TrailingHeaders.TryGetValues("grpc-status", out var trailing)
            ? trailing.Single()
            : answer.Headers.GetValues("grpc-status").Single();
        return int.Parse(status, CultureInfo.InvariantCulture);
    }
}
