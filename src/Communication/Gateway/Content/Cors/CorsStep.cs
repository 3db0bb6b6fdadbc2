using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Content.Cors;

/// <summary>Makes the step of routes that let pages of other origins call them.</summary>
internal sealed class CorsMaker(OwnAnswers answers) : IStepMaker
{
    public IEnumerable<IRequestStep> Make(StepContext context)
    {
        if (context.Policies.Cors is { } spec)
            yield return new CorsStep(spec, (context.Policies as RouteSpec)?.Match.Methods, answers);
    }
}

/// <summary>
/// Says to browsers which other origins may call a route (the Fetch standard, 3.3), and answers what they ask before.
/// What the service itself says about that is dropped: two such fields are none.
/// </summary>
internal sealed class CorsStep : IRequestStep
{
    private static readonly KeyValuePair<string, string> VaryByOrigin = new("Vary", "Origin");

    private static readonly string[] Ours =
    [
        "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers",
        "Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age",
    ];

    private static readonly KeyValuePair<string, string> Everybody = new(Ours[0], "*");

    private readonly OwnAnswers answers;
    private readonly ImmutableArray<(OriginPattern Pattern, KeyValuePair<string, string> Field)> origins;
    private readonly bool isOpen; // To all alike.
    private readonly bool takesOptions; // The route's service does.
    private readonly bool anyHeader;
    private readonly KeyValuePair<string, string>? credentials;
    private readonly KeyValuePair<string, string>? exposed;
    private readonly KeyValuePair<string, string> methods;
    private readonly KeyValuePair<string, string>? headers;
    private readonly KeyValuePair<string, string> maxAge;

    public CorsStep(CorsSpec spec, IReadOnlyList<string>? routeMethods, OwnAnswers answers)
    {
        this.answers = answers;
        // What is no origin was refused when it was written, as was everybody together with credentials; what came
        // here all the same allows nobody.
        origins =
        [
            .. spec.Origins.Where(origin => !spec.Credentials || origin is not ("*" or "null"))
                .Select(OriginPattern.TryParse).OfType<OriginPattern>()
                .Select(pattern => (pattern, new KeyValuePair<string, string>(Ours[0], pattern.Text))),
        ];
        isOpen = !spec.Credentials && origins.Any(one => one.Pattern.IsAll);
        takesOptions = routeMethods is null || routeMethods.Contains("OPTIONS");
        anyHeader = spec.Headers is ["*"];
        credentials = spec.Credentials ? new(Ours[1], "true") : null;
        exposed = spec.Exposed is { } names ? new(Ours[2], string.Join(", ", names)) : null;
        methods = new(Ours[3], string.Join(", ", spec.Methods ?? ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]));
        headers = spec.Headers is { } allowed && !anyHeader ? new(Ours[4], string.Join(", ", allowed)) : null;
        maxAge = new(Ours[5], spec.MaxAgeSeconds.ToString(CultureInfo.InvariantCulture));
    }

    public Stage Stage => Stage.Cors;

    public ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        var request = exchange.Request;
        var origin = request.Fields.First(KnownField.Origin);
        var asks = request.Method == KnownMethod.Options && !origin.IsEmpty
            && request.Fields.TryGet("access-control-request-method"u8, out _);
        exchange.DroppedFields.AddRange(Ours);
        // Also where no origin is named: what is kept of this answer must not be given to one.
        if (!isOpen) exchange.AnswerFields.Add(VaryByOrigin);
        if (!asks && request.Method == KnownMethod.Options && !takesOptions)
            return ValueTask.FromResult(StepResult.Refuse(new Fault(
                ErrorCodes.MethodNotAllowed, "The routes of this path do not serve the method.")));
        if (origin.IsEmpty) return ValueTask.FromResult(StepResult.GoOn);
        if (!Allow(exchange, origin))
        {
            exchange.Note(Stage.Cors, "origin not allowed");
            // A browser does not show the answer to the page; what is no browser may have it.
            return ValueTask.FromResult(asks
                ? StepResult.Refuse(new Fault(
                    ErrorCodes.OriginRefused, "The route may not be called by pages of this origin."))
                : StepResult.GoOn);
        }
        exchange.Note(Stage.Cors, "allowed");
        if (asks) return AnswerAsync(exchange);
        if (exposed is { } names) exchange.AnswerFields.Add(names);
        return ValueTask.FromResult(StepResult.GoOn);
    }

    private bool Allow(Exchange exchange, ReadOnlySpan<byte> origin)
    {
        foreach (var (pattern, field) in origins)
        {
            if (!pattern.Takes(origin)) continue;
            // Where it is open to all, all get the same answer, and it need not vary.
            exchange.AnswerFields.Add(
                isOpen ? Everybody : pattern.IsOne ? field : new(Ours[0], Encoding.Latin1.GetString(origin)));
            if (credentials is { } allowed) exchange.AnswerFields.Add(allowed);
            return true;
        }
        return false;
    }

    private async ValueTask<StepResult> AnswerAsync(Exchange exchange)
    {
        var fields = exchange.AnswerFields;
        fields.Add(methods);
        fields.Add(maxAge);
        if (headers is { } listed) fields.Add(listed);
        else if (anyHeader && exchange.Request.Fields.TryGet("access-control-request-headers"u8, out var asked))
        {
            // Named one by one: to browsers a star is no leave for Authorization.
            fields.Add(new(Ours[4], Encoding.Latin1.GetString(asked)));
            fields.Add(new("Vary", "Access-Control-Request-Headers"));
        }
        await answers.GiveAsync(exchange, 204, default);
        return StepResult.Answered;
    }
}
