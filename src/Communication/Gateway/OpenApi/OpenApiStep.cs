using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.OpenApi.Documents;
using Groundwork.Communication.Gateway.OpenApi.Requests;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Kernel.Resources;
using Groundwork.Wire;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.OpenApi;

/// <summary>Holds the requests of a route to a document, as it is at the moment.</summary>
internal sealed class OpenApiStep(
    OpenApiPlan plan, ResourceKey key, ResourceTable<ApiDocument> documents, string route, OpenApiFigures figures)
    : IRequestStep
{
    private static readonly StepResult Missing = StepResult.Refuse(new Fault(
        ErrorCodes.OpenApiDocumentMissing, "The document that requests are held to is not known here."));

    private static readonly StepResult TooLarge = StepResult.Refuse(new Fault(
        ErrorCodes.BodyTooLarge, "The body is larger than what is checked."));

    private static readonly StepResult Encoded = StepResult.Refuse(new Fault(
        ErrorCodes.UnsupportedMediaType, "The body is compressed, and cannot be checked."));

    public Stage Stage => Stage.Inspection;

    public ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        if (!documents.Current.TryGetValue(key, out var document))
        {
            figures.Count(OpenApiVerdict.Undecided);
            exchange.Note(Stage.Inspection, plan.Blocks ? "refused" : "passes", "no such openapi-document");
            return new(plan.Blocks ? Missing : StepResult.GoOn);
        }
        var faults = new FaultList();
        if (CheckHead(exchange, document, faults, out var refusal) is not { } operation)
            return new(refusal ?? PassUnknown(exchange));
        return MediaOf(exchange, operation, faults, out refusal) is { } media
            ? CheckBodyAsync(exchange, operation, media, faults)
            : new(refusal ?? Judge(exchange, operation, faults));
    }

    // Null with a refusal, or with none where it passes unknown.
    private ApiOperation? CheckHead(
        Exchange exchange, ApiDocument document, FaultList faults, out StepResult? refusal)
    {
        Span<Capture> captures = stackalloc Capture[PathTemplate.MaxCaptures];
        var request = exchange.Request;
        refusal = null;
        if (Find(document, request.Path, captures, out var path) is not { } found)
        {
            if (plan.RefusesUnknown) refusal = Unknown(exchange, ErrorCodes.OperationUnknown, "has no such path");
            return null;
        }
        if (found.Find(request.MethodName) is not { } operation)
        {
            if (!plan.RefusesUnknown) return null;
            refusal = Unknown(exchange, ErrorCodes.MethodNotAllowed, $"has this path with {found.Allow}");
            if (plan.Blocks) exchange.AnswerFields.Add(new("Allow", found.Allow));
            return null;
        }
        ParameterCheck.Check(exchange, operation, path, captures, plan.RefusesUnknownQuery, faults);
        return operation;
    }

    private ApiPath? Find(
        ApiDocument document, ReadOnlySpan<byte> whole, Span<Capture> captures, out ReadOnlySpan<byte> path)
    {
        path = default;
        if (plan.Prefix is { } prefix)
        {
            path = ApiDocument.Below(prefix, whole);
            return path.IsEmpty ? null : document.Paths.Find(path, captures);
        }
        foreach (var basePath in document.BasePaths)
        {
            path = ApiDocument.Below(basePath, whole);
            if (!path.IsEmpty && document.Paths.Find(path, captures) is { } found) return found;
        }
        return null;
    }

    // Null where there is no body to look at; with a refusal where it is of another type.
    private ApiMedia? MediaOf(
        Exchange exchange, ApiOperation operation, FaultList faults, out StepResult? refusal)
    {
        refusal = null;
        if (exchange.Request.Body == BodyKind.None || exchange.Request is { Body: BodyKind.Length, ContentLength: 0 })
        {
            if (operation.Body is { Required: true }) faults.Add(BodyCheck.Root, "must be there");
            return null;
        }
        if (operation.Body is not { } body)
        {
            faults.Add(BodyCheck.Root, "must not be there: the operation takes none");
            return null;
        }
        if (body.Find(exchange.Request.Fields.First(KnownField.ContentType)) is not { } media)
        {
            var all = ImmutableArray.Create(
                new FieldFault("header.content-type", $"must be one of {body.Expected}")).AddRange(faults.All);
            refusal = Judge(exchange, new OpenApiFinding(operation.Name, ErrorCodes.UnsupportedMediaType, all));
            return null;
        }
        // What is wrong already is refused without a look at the body.
        return plan.BodyBytes == 0 || media.Shape == BodyShape.Unread || (!faults.IsEmpty && plan.Blocks)
            ? null
            : media;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<StepResult> CheckBodyAsync(
        Exchange exchange, ApiOperation operation, ApiMedia media, FaultList faults)
    {
        var encoded = exchange.Request.Fields.Has(KnownField.ContentEncoding)
            && !Ascii.EqualsIgnoreCase(exchange.Request.Fields.First(KnownField.ContentEncoding), "identity"u8);
        if (encoded) return Unseen(exchange, operation, faults, Encoded);
        if (exchange.Request.ContentLength > plan.BodyBytes) return Unseen(exchange, operation, faults, TooLarge);
        var body = new HeldBody(exchange.Client, plan.BodyBytes, asks: exchange.Request.ExpectsContinue);
        exchange.Hold(body);
        try
        {
            await body.TakeAsync();
        }
        catch (ClientBodyException fault)
        {
            return StepResult.Refuse(OwnAnswers.OfBody(fault.Status));
        }
        exchange.Wrap(body);
        if (!body.IsWhole) return Unseen(exchange, operation, faults, TooLarge);
        BodyCheck.Check(media, body.Bytes, faults);
        return Judge(exchange, operation, faults);
    }

    private StepResult Unseen(Exchange exchange, ApiOperation operation, FaultList faults, StepResult refused)
    {
        if (plan.RefusesUnseen)
        {
            figures.Count(OpenApiVerdict.Refused);
            exchange.Note(Stage.Inspection, "refused", "the body cannot be checked");
            return refused;
        }
        if (!faults.IsEmpty) return Judge(exchange, operation, faults);
        figures.Count(OpenApiVerdict.Unseen);
        exchange.Note(Stage.Inspection, "fits but for a body that cannot be checked", operation.Name);
        return StepResult.GoOn;
    }

    private StepResult PassUnknown(Exchange exchange)
    {
        figures.Count(OpenApiVerdict.Unknown);
        exchange.Note(Stage.Inspection, "is not in the document");
        return StepResult.GoOn;
    }

    private StepResult Unknown(Exchange exchange, ErrorCode error, string message) =>
        Judge(exchange, new OpenApiFinding(key.Name, error, [new FieldFault("operation", message)]));

    private StepResult Judge(Exchange exchange, ApiOperation operation, FaultList faults)
    {
        if (!faults.IsEmpty)
            return Judge(exchange, new OpenApiFinding(operation.Name, ErrorCodes.RequestInvalid, faults.All));
        figures.Count(OpenApiVerdict.Fits);
        exchange.Note(Stage.Inspection, "fits", operation.Name);
        return StepResult.GoOn;
    }

    private StepResult Judge(Exchange exchange, OpenApiFinding finding)
    {
        var verdict = plan.Blocks ? OpenApiVerdict.Refused : OpenApiVerdict.Detected;
        exchange.Note(Stage.Inspection, plan.Blocks ? "refused" : "does not fit", finding);
        figures.Count(finding, verdict, route, exchange.Trace);
        return plan.Blocks
            ? StepResult.Refuse(new Fault(finding.Error, "The request does not fit what the service takes.")
            {
                Fields = finding.Faults,
            })
            : StepResult.GoOn;
    }
}
