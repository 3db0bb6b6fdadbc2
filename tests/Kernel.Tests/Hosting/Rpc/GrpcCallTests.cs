using System.Net;
using System.Net.Http.Headers;
using Groundwork.Kernel.Hosting;
using Groundwork.Kernel.Hosting.Rpc;
using Groundwork.Tests.Support;
using Groundwork.Wire.Grpc;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging.Abstractions;

namespace Groundwork.Kernel.Tests.Hosting.Rpc;

public sealed class GrpcCallTests
{
    [Fact]
    public async Task Call_that_is_accepted_is_so_for_its_client_before_there_is_a_message()
    {
        var definition = new ListenerDefinition(
            ProtocolListeners.GrpcName, ListenerProtocol.Grpc, "127.0.0.1:0");
        await using var open = new OpenListeners(definitions: [definition]);
        var goesOn = new TaskCompletionSource();
        open.Listeners.Map(definition.Name, endpoints => endpoints
            .MapPost("/test.Waiting/Wait", GrpcCall.Handle(
                async call =>
                {
                    await call.AcceptAsync();
                    await goesOn.Task;
                    throw new GrpcException(GrpcStatus.NotFound, "nothing came");
                },
                maxMessageBytes: 16, NullLogger.Instance))
            .AllowsAnyone("it is a test"));
        await open.Listeners.StartAsync(CancellationToken.None);
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(open.Listeners.UrlOf(definition.Name), "/test.Waiting/Wait"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead)
            .WaitAsync(Eventually.Patience);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(answer.TrailingHeaders);
        goesOn.SetResult();
        await answer.Content.ReadAsByteArrayAsync();
        Assert.Equal("5", Assert.Single(answer.TrailingHeaders.GetValues("grpc-status")));
    }
}
