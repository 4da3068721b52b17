import { defineAgent } from './agent.ts'
import { pmExamples } from './examples/pm.ts'
import { pmPrompt } from './prompts/pm.ts'

/** Product level: what users get, what is promised and supported, in plain words. */
export const pm = defineAgent({
  name: 'pm',
  title: 'PM',
  purpose: 'product: what users get, what is supported, planned or promised, in plain words',
  prompt: pmPrompt,
  lens: { first: 'documents', snippets: 0 },
  profile: { code: 0.6, documentation: 1.3, business: 1.4 },
  aliases: ['pm', 'product manager', 'product owner', 'business analyst', 'project manager'],
  cues: [
    'customer', 'user', 'users', 'feature', 'roadmap', 'release', 'launch', 'ship', 'pricing', 'price', 'plan', 'tier', 'trial', 'stakeholder',
    'metric', 'adoption', 'onboarding', 'requirement', 'acceptance criteria', 'deadline', 'sprint', 'epic', 'user story', 'market',
    'competitor', 'business', 'revenue', 'churn', 'persona', 'plain words', 'plain english', 'non technical', 'announcement', 'changelog',
    'release notes', 'support', 'supported', 'limit', 'limitation', 'sla', 'contract', 'compliance', 'gdpr', 'legal', 'sales', 'marketing',
    'demo', 'beta', 'deprecated', 'sunset', 'milestone', 'priority', 'scope', 'value', 'benefit', 'use case', 'audience', 'experience',
    'feedback', 'survey', 'kpi', 'goal', 'okr', 'quarter', 'availability', 'language', 'platform', 'license', 'cost', 'budget',
    'client', 'clients', 'subscriber', 'visitor', 'guest', 'people', 'person', 'colleague', 'member', 'admin', 'administrator',
    'moderator', 'invite', 'seat', 'package', 'subscription', 'paid', 'free', 'premium', 'enterprise plan', 'starter',
    'upgrade', 'downgrade', 'refund', 'invoice', 'purchase', 'buy', 'sell', 'sold', 'offer', 'offering', 'country', 'countries',
    'region', 'europe', 'prospect', 'lead', 'agency', 'partner', 'testimonial', 'case study', 'newsletter', 'blog', 'press',
    'pitch', 'elevator', 'value proposition', 'promise', 'promised', 'commit to customers', 'guarantee', 'expectation',
    'success', 'outcome', 'initiative', 'theme', 'backlog', 'decision of stakeholders', 'rollout', 'go live', 'public launch',
    'general availability', 'early access', 'pilot', 'waitlist', 'wizard', 'sign up', 'signup', 'journey', 'flow for users',
    'screen', 'button', 'page', 'dashboard', 'mobile', 'app store', 'offline', 'accessibility', 'wcag', 'translation', 'french',
    'privacy', 'policy', 'terms', 'retention', 'consent', 'outage', 'downtime', 'explain to', 'summary', 'summarise',
    'summarize', 'describe for', 'in short', 'who is this for', 'what is new', 'improvement', 'improvements', 'complaint',
    'complaints', 'usage cap', 'quota', 'restriction', 'restrictions', 'allowed', 'may users', 'can users', 'can customers',
    'faq', 'help centre', 'guide', 'tutorial', 'training',
  ],
  examples: pmExamples,
})
