using System.Runtime.CompilerServices;
using System.Text;
using Groundwork.Communication.Gateway.Exchanges;
using Groundwork.Communication.Gateway.Serving;
using Groundwork.Communication.Gateway.Steps;
using Groundwork.Wire;
using Groundwork.Wire.Http1;

namespace Groundwork.Communication.Gateway.Inspection;

/// <summary>Looks through the requests of a route.</summary>
internal sealed class InspectionStep(InspectionPlan plan, string route, InspectionFigures figures) : IRequestStep
{
    private static readonly StepResult Refused = StepResult.Refuse(new Fault(
        ErrorCodes.InspectionRefused, "The request looks like an attack, and does not pass."));

    private static readonly StepResult TooLarge = StepResult.Refuse(new Fault(
        ErrorCodes.BodyTooLarge, "The body is larger than what is looked through."));

    private static readonly StepResult Encoded = StepResult.Refuse(new Fault(
        ErrorCodes.UnsupportedMediaType, "The body is compressed, and cannot be looked through."));

    public Stage Stage => Stage.Inspection;

    public ValueTask<StepResult> RunAsync(Exchange exchange)
    {
        var run = new InspectionRun(plan);
        HeadInspection.Inspect(exchange, plan, ref run);
        if (plan.BodyBytes == 0 || exchange.Request.Body == BodyKind.None || (run.IsAttack && plan.Blocks))
            return ValueTask.FromResult(Judge(exchange, run));
        var form = BodyInspection.FormOf(exchange.Request.Fields.First(KnownField.ContentType));
        return form == BodyForm.Other
            ? ValueTask.FromResult(Judge(exchange, run))
            : InspectBodyAsync(exchange, run, form);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<StepResult> InspectBodyAsync(Exchange exchange, InspectionRun run, BodyForm form)
    {
        var encoded = exchange.Request.Fields.Has(KnownField.ContentEncoding)
            && !Ascii.EqualsIgnoreCase(exchange.Request.Fields.First(KnownField.ContentEncoding), "identity"u8);
        if (encoded) return plan.RefusesUnseen ? Unseen(exchange, Encoded) : Judge(exchange, run);
        if (plan.RefusesUnseen && exchange.Request.ContentLength > plan.BodyBytes) return Unseen(exchange, TooLarge);
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
        if (!body.IsWhole && plan.RefusesUnseen) return Unseen(exchange, TooLarge);
        BodyInspection.Inspect(
            body.Bytes, form, exchange.Request.Fields.First(KnownField.ContentType), body.IsWhole, ref run);
        exchange.Wrap(body);
        if (!body.IsWhole) exchange.Note(Stage.Inspection, "seen in part");
        return Judge(exchange, run);
    }

    private static StepResult Unseen(Exchange exchange, StepResult result)
    {
        exchange.Note(Stage.Inspection, "refused", "the body cannot be seen whole");
        return result;
    }

    private StepResult Judge(Exchange exchange, InspectionRun run)
    {
        if (run.Worst is not { } worst)
        {
            exchange.Note(Stage.Inspection, "nothing found");
            return StepResult.GoOn;
        }
        var verdict = !run.IsAttack ? InspectionVerdict.Below
            : plan.Blocks ? InspectionVerdict.Blocked : InspectionVerdict.Detected;
        exchange.Note(Stage.Inspection, verdict switch
        {
            InspectionVerdict.Below => "below the threshold",
            InspectionVerdict.Detected => "detected",
            _ => "refused",
        }, worst);
        figures.Count(worst, verdict, route, exchange.Trace);
        return verdict == InspectionVerdict.Blocked ? Refused : StepResult.GoOn;
    }
}
