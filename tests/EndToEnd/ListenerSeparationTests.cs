using System.Net;
using Groundwork.Kernel.Hosting;

namespace Groundwork.Tests.EndToEnd;

public sealed class ListenerSeparationTests
{
    [Fact]
    public async Task No_path_of_a_listener_is_served_by_another()
    {
        await using var product = await Product.StartAsync();
        var listeners = product.Node.Listeners;
        var faults = new List<string>();
        foreach (var endpoint in listeners.Endpoints)
        {
            foreach (var other in listeners.Addresses.Keys.Where(name => name != endpoint.Listener
                && listeners.UrlOf(name).Scheme.StartsWith("http", StringComparison.Ordinal)))
            {
                var path = endpoint.Pattern.Replace("{", "", StringComparison.Ordinal)
                    .Replace("}", "", StringComparison.Ordinal)
                    .Replace("*", "", StringComparison.Ordinal);
                using var client = product.Client(listener: other);
                using var request = new HttpRequestMessage(new HttpMethod(endpoint.Method), path);
                if (other == ProtocolListeners.GrpcName)
                    (request.Version, request.VersionPolicy) =
                        (HttpVersion.Version20, HttpVersionPolicy.RequestVersionExact);
                using var answer = await client.SendAsync(request);
                var type = answer.Content.Headers.ContentType?.MediaType;
                // HTTPDNS says so without words, as its clients expect; of an account it would speak.
                var isNobody = type == Problems.MediaType
                    || (other == "httpdns" && (await answer.Content.ReadAsByteArrayAsync()).Length == 0);
                if (answer.StatusCode != HttpStatusCode.NotFound || !isNobody)
                    faults.Add($"{endpoint} is answered by {other} with {(int)answer.StatusCode} {type}");
            }
        }
        Assert.True(faults.Count == 0, string.Join(Environment.NewLine, faults));
    }
}
