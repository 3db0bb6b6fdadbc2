using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Listening;

/// <summary>Sends who did not come over TLS to the same address over HTTPS.</summary>
internal sealed class HttpsRedirect : IRequestStep
{
    public Stage Stage => Stage.Listener;

    public async ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        if (exchange.CallerIsSecure) return StepResult.GoOn;
        var (head, request, client) = (exchange.Head, exchange.Request, exchange.Client);
        head.Status = 308; // The method stays what it is.
        head.Body = BodyKind.None;
        head.ContentLength = 0;
        head.Added.Add(new("Location", $"https://{Text(request.Host)}{Text(request.Path)}{Text(request.Query)}"));
        exchange.Note(Stage.Listener, "redirected");
        client.Begin(head);
        client.End(null);
        await client.FlushAsync();
        return StepResult.Answered;

        static string Text(ReadOnlySpan<byte> bytes) => Encoding.Latin1.GetString(bytes);
    }
}
